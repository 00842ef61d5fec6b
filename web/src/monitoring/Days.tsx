import type { Schemas } from '../api/client'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    day: 'Day (UTC)',
    message_1: 'Message 1',
    message_2: 'Message 2',
    interactions: 'Replies',
    delivered: 'Delivered',
    read: 'Read',
    failed: 'Failed',
    chart: 'Messages and replies of the last seven days; the table below has the numbers',
  },
  {
    day: 'Jour (UTC)',
    message_1: 'Message 1',
    message_2: 'Message 2',
    interactions: 'Réponses',
    delivered: 'Distribués',
    read: 'Lus',
    failed: 'Échecs',
    chart: 'Messages et réponses des sept derniers jours\u00a0; le tableau ci-dessous donne les nombres',
  },
)

const series = ['message_1', 'message_2', 'interactions'] as const
const columns = ['message_1', 'message_2', 'interactions', 'delivered', 'read', 'failed'] as const
const HEIGHT = 140

/** The last seven days, as bars and as numbers. Days are those of the quota's clock, UTC. */
export function Days({ days }: { days: Schemas['Day'][] }) {
  const t = useWords(texts)
  const format = useFormat()
  const most = Math.max(1, ...days.flatMap((day) => series.map((name) => day[name])))
  // Noon: the same date in every zone that people live in.
  const named = (day: string) => format.day(`${day}T12:00:00Z`)
  const short = new Intl.DateTimeFormat(format.locale, { weekday: 'short', day: 'numeric' })
  return (
    <div class="stack">
      <div class="row" aria-hidden="true">
        {series.map((name) => (
          <span key={name} class="row legend">
            <span class={`dot day-${name}`} />
            {t[name]}
          </span>
        ))}
      </div>
      <div class="day-bars" role="img" aria-label={t.chart}>
        {days.map((day) => (
          <div key={day.day} class="day">
            <div class="bars" style={{ height: HEIGHT }}>
              {series.map((name) => (
                <span
                  key={name}
                  class={`day-${name}`}
                  title={`${named(day.day)} · ${t[name]} · ${format.number(day[name])}`}
                  style={{ height: `${(100 * day[name]) / most}%` }}
                />
              ))}
            </div>
            <span class="muted">{short.format(new Date(`${day.day}T12:00:00Z`))}</span>
          </div>
        ))}
      </div>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">{t.day}</th>
            {columns.map((name) => (
              <th key={name} scope="col" class="right">
                {t[name]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.toReversed().map((day) => (
            <tr key={day.day}>
              <td>{named(day.day)}</td>
              {columns.map((name) => (
                <td key={name} class="right" data-name={t[name]}>
                  {format.number(day[name])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
