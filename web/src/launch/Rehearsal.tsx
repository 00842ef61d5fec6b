import { useState } from 'preact/hooks'
import { ask, type Schemas } from '../api/client'
import { Dialog } from '../ui/dialog'
import { StateBar } from '../ui/meters'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { type RecipientState, terms } from '../words/terms'
import { bodyOf, hasAudience, type Plan } from './plan'

type Result = Schemas['Result']

const texts = bilingual(
  {
    play: 'Play it hour by hour',
    playing: 'Playing…',
    title: 'The campaign, hour by hour',
    about: (contacts: string, rate: string) =>
      `Played with the campaign's real rules in skipped time: ${contacts} contacts, of whom ${rate} reply, half of them within 30 minutes. Nothing is sent.`,
    hour: 'Hour',
    begins: 'Begins',
    replies: 'Replies',
    refused: 'Refused by the quota',
    table: 'Hours of the rehearsal',
    end: 'In the end',
    late: 'Hours in which nothing leaves or comes are left out.',
  },
  {
    play: 'La jouer heure par heure',
    playing: 'Simulation…',
    title: 'La campagne, heure par heure',
    about: (contacts: string, rate: string) =>
      `Jouée en accéléré avec les vraies règles\u00a0: ${contacts} contacts, dont ${rate} répondent, la moitié sous 30 minutes. Rien n'est envoyé.`,
    hour: 'Heure',
    begins: 'Début',
    replies: 'Réponses',
    refused: 'Refus du quota',
    table: 'Heures de la simulation',
    end: 'À la fin',
    late: 'Les heures sans envoi ni réponse sont omises.',
  },
)

/** Plays the plan in skipped time and shows each hour. */
export function Rehearsal({
  plan,
  attempt,
}: {
  plan: Plan
  attempt: (action: () => Promise<Result>) => Promise<Result | undefined>
}) {
  const t = useWords(texts)
  const [busy, setBusy] = useState(false)
  const [result, setResult] = useState<Result>()
  const play = async () => {
    setBusy(true)
    setResult(await attempt(() => ask('post', '/campaigns/rehearse', { body: { ...bodyOf(plan), seed: 1 } })))
    setBusy(false)
  }
  return (
    <>
      <button type="button" class="button small" disabled={busy || !hasAudience(plan)} onClick={play}>
        {busy ? t.playing : t.play}
      </button>
      {result && (
        <Dialog title={t.title} close={() => setResult(undefined)}>
          <Played result={result} />
        </Dialog>
      )}
    </>
  )
}

function Played({ result }: { result: Result }) {
  const t = useWords(texts)
  const words = useWords(terms)
  const format = useFormat()
  const counts = result.final_states as Partial<Record<RecipientState, number>>
  const eventful = result.hours.filter((hour) => hour.message_1 + hour.message_2 + hour.replies > 0)
  return (
    <div class="stack played">
      <p>{t.about(format.number(result.contacts), format.percent(result.reply_rate))}</p>
      <div class="stack tight">
        <h3>{t.end}</h3>
        <StateBar counts={counts} total={result.contacts} />
        <ul class="row">
          {Object.entries(counts).map(([state, n]) => (
            <li key={state} class="row tight">
              <i class={`dot fill ${state}`} aria-hidden="true" />
              {words.recipientState[state as RecipientState]}
              <span class="number strong">{format.number(n ?? 0)}</span>
            </li>
          ))}
        </ul>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div class="played-hours" role="group" aria-label={t.table} tabIndex={0}>
        <table class="list">
          <thead>
            <tr>
              <th>{t.hour}</th>
              <th>{t.begins}</th>
              <th class="right">{words.messageType.message_1}</th>
              <th class="right">{t.replies}</th>
              <th class="right">{words.messageType.message_2}</th>
              <th class="right">{t.refused}</th>
            </tr>
          </thead>
          <tbody>
            {eventful.map((hour) => (
              <tr key={hour.hour}>
                <td data-name={t.hour}>{format.number(hour.hour + 1)}</td>
                <td data-name={t.begins}>{format.moment(hour.at)}</td>
                <td data-name={words.messageType.message_1} class="right">
                  {format.number(hour.message_1)}
                </td>
                <td data-name={t.replies} class="right">
                  {format.number(hour.replies)}
                </td>
                <td data-name={words.messageType.message_2} class="right">
                  {format.number(hour.message_2)}
                </td>
                <td data-name={t.refused} class="right">
                  {format.number(hour.refused_for_quota)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="hint">{t.late}</p>
    </div>
  )
}
