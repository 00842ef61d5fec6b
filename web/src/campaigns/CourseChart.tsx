import type { Schemas } from '../api/client'
import { type Format, useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { terms } from '../words/terms'
import { type Bar, bars, roundUp, ticks } from './course'

const texts = bilingual(
  {
    replies: 'Replies',
    each: (duration: string) => `each bar ${duration}`,
    table: 'What left and came back, step by step',
    from: 'From',
    nothing: 'Nothing has left yet.',
  },
  {
    replies: 'Réponses',
    each: (duration: string) => `chaque barre\u00a0: ${duration}`,
    table: 'Ce qui est parti et revenu, étape par étape',
    from: 'À partir de',
    nothing: 'Rien n’est encore parti.',
  },
)

type Series = 'message_1' | 'message_2' | 'replies'

const HEIGHT = 96

/**
 * What left and what came back over time. Message 1 has a scale of its own: it
 * leaves in bursts beside which the replies could not be seen.
 */
export function CourseChart({ course, start, end }: { course: Schemas['Course']; start: number; end: number }) {
  const t = useWords(texts)
  const format = useFormat()
  const { messageType } = useWords(terms)
  const names: Record<Series, string> = { ...messageType, replies: t.replies }
  const { bars: all, width } = bars(course, start, end)
  const to = start + all.length * width
  const { at: moments, seconds } = ticks(start, to, 6)
  const said = (bar: Bar) =>
    `${momentOf(format, width)(bar.at)}\n${(['message_1', 'replies', 'message_2'] as const)
      .map((series) => `${names[series]}: ${format.number(bar[series])}`)
      .join('\n')}`
  if (all.length === 0) return <p class="muted">{t.nothing}</p>
  return (
    <figure class="chart">
      <Panel bars={all} series={['message_1']} names={names} said={said} />
      <Panel bars={all} series={['replies', 'message_2']} names={names} said={said} />
      <div class="moments" aria-hidden="true">
        {moments
          .map((at) => ({ at, place: (at - start) / (to - start) }))
          // A word at the very edge would stick out.
          .filter(({ place }) => place < 0.96)
          .map(({ at, place }) => (
            <span key={at} style={{ left: `${100 * place}%` }}>
              {tick(format, at, seconds)}
            </span>
          ))}
      </div>
      <figcaption class="hint">{t.each(format.duration(width / 1_000))}</figcaption>
      <div class="unseen">
        <table>
          <caption>{t.table}</caption>
          <thead>
            <tr>
              <th scope="col">{t.from}</th>
              <th scope="col">{names.message_1}</th>
              <th scope="col">{names.replies}</th>
              <th scope="col">{names.message_2}</th>
            </tr>
          </thead>
          <tbody>
            {all
              .filter((bar) => bar.message_1 || bar.message_2 || bar.replies)
              .map((bar) => (
                <tr key={bar.at}>
                  <th scope="row">{momentOf(format, width)(bar.at)}</th>
                  <td>{format.number(bar.message_1)}</td>
                  <td>{format.number(bar.replies)}</td>
                  <td>{format.number(bar.message_2)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </figure>
  )
}

/** Bars of one or two series on one scale. */
function Panel(props: { bars: Bar[]; series: Series[]; names: Record<Series, string>; said: (bar: Bar) => string }) {
  const format = useFormat()
  const { bars: all, series } = props
  const top = roundUp(Math.max(...all.flatMap((bar) => series.map((name) => bar[name]))))
  const room = 100 / all.length
  const thick = (0.8 * room) / series.length
  const high = (count: number) => (count ? Math.max(2, (HEIGHT * count) / top) : 0)
  return (
    <div class="panel" aria-hidden="true">
      <p class="row key">
        {series.map((name) => (
          <span key={name} class="row">
            <span class={`dot series ${name}`} />
            {props.names[name]}
          </span>
        ))}
      </p>
      <div class="scale number">
        <span>{format.number(top)}</span>
        {top % 2 === 0 && <span>{format.number(top / 2)}</span>}
        <span>0</span>
      </div>
      <svg width="100%" height={HEIGHT} focusable="false" aria-hidden="true">
        {(top % 2 ? [0, 1] : [0, 0.5, 1]).map((part) => (
          <line key={part} x1="0" x2="100%" y1={line(part)} y2={line(part)} />
        ))}
        {all.map((bar, i) => (
          <g key={bar.at}>
            {series.map((name, nth) => (
              <rect
                key={name}
                class={`series ${name}`}
                x={`${room * (i + 0.1) + thick * nth}%`}
                y={HEIGHT - high(bar[name])}
                width={`${thick}%`}
                height={high(bar[name])}
              />
            ))}
            <rect class="pointed" x={`${room * i}%`} y="0" width={`${room}%`} height={HEIGHT}>
              <title>{props.said(bar)}</title>
            </rect>
          </g>
        ))}
      </svg>
    </div>
  )
}

/** Where a line lies so that it is sharp. */
const line = (part: number) => Math.min(HEIGHT - 0.5, Math.round(HEIGHT * part) + 0.5)

/** A moment of the axis: the day where one begins, else the time. */
function tick(format: Format, at: number, seconds: number): string {
  const moment = new Date(at)
  if (moment.getHours() === 0 && moment.getMinutes() === 0 && moment.getSeconds() === 0) return format.day(moment)
  return seconds < 60 ? format.timeToTheSecond(moment) : format.time(moment)
}

/** When a bar begins, no less exact than the bars are wide. */
const momentOf = (format: Format, width: number) => (at: number) =>
  width < 60_000 ? format.timeToTheSecond(new Date(at)) : format.moment(new Date(at))
