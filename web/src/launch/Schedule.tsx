import { useId } from 'preact/hooks'
import { Field } from '../ui/field'
import { bilingual, useWords } from '../words/language'
import { inAnHour, localInput, type Plan } from './plan'

const texts = bilingual(
  {
    title: 'When',
    now: 'Now',
    later: 'At a date and time',
    at: 'Date and time',
    zone: (zone: string) => `In your time zone: ${zone}.`,
    problem: { missing: 'Say when the campaign starts.', past: 'Must not be in the past.' },
    rate: 'Expected reply rate',
    number: 'Expected reply rate in percent',
    about: 'Decides how many Message 2s the forecast counts with. The campaign itself answers everybody.',
    usual: 'The usual rate',
  },
  {
    title: 'Quand',
    now: 'Maintenant',
    later: 'À une date et une heure',
    at: 'Date et heure',
    zone: (zone: string) => `Dans votre fuseau horaire\u00a0: ${zone}.`,
    problem: { missing: 'Indiquez quand la campagne commence.', past: 'Ne doit pas être dans le passé.' },
    rate: 'Taux de réponse attendu',
    number: 'Taux de réponse attendu en pour cent',
    about: 'Détermine le nombre de messages 2 prévus. La campagne, elle, répond à tout le monde.',
    usual: 'Le taux habituel',
  },
)

/** When the campaign starts, and how many are expected to answer. */
export function Schedule({
  plan,
  change,
  problem,
  refused,
  assumedRate,
}: {
  plan: Plan
  change: (to: Partial<Plan>) => void
  problem?: 'missing' | 'past'
  refused?: string
  /** what the server assumes; undefined until that is known */
  assumedRate: number | undefined
}) {
  const t = useWords(texts)
  const group = useId()
  const later = plan.when === 'later'
  return (
    <section class="card">
      <header>
        <h2>{t.title}</h2>
      </header>
      <fieldset>
        <legend class="unseen">{t.title}</legend>
        <div class="row when">
          <label class="check">
            <input type="radio" name={group} checked={!later} onChange={() => change({ when: 'now' })} />
            {t.now}
          </label>
          <label class="check">
            <input
              type="radio"
              name={group}
              checked={later}
              onChange={() => change({ when: 'later', at: plan.at || localInput(inAnHour()) })}
            />
            {t.later}
          </label>
        </div>
      </fieldset>
      {later && (
        <Field
          label={t.at}
          hint={t.zone(Intl.DateTimeFormat().resolvedOptions().timeZone)}
          error={problem ? t.problem[problem] : refused}
        >
          {(attributes) => (
            <input
              {...attributes}
              class="moment"
              type="datetime-local"
              min={localInput(new Date())}
              value={plan.at}
              onInput={(event) => change({ at: event.currentTarget.value })}
            />
          )}
        </Field>
      )}
      <Rate rate={plan.rate} assumed={assumedRate} choose={(rate) => change({ rate })} />
    </section>
  )
}

function Rate({
  rate,
  assumed,
  choose,
}: {
  rate: number | null
  assumed: number | undefined
  choose: (rate: number | null) => void
}) {
  const t = useWords(texts)
  const percent = Math.round(100 * (rate ?? assumed ?? 0.3))
  const chosen = (said: string) => {
    const n = Number(said)
    if (said && Number.isFinite(n)) choose(Math.min(100, Math.max(0, Math.round(n))) / 100)
  }
  return (
    <Field label={t.rate} hint={t.about}>
      {(attributes) => (
        <div class="rate">
          <input
            {...attributes}
            type="range"
            min="0"
            max="100"
            value={percent}
            onInput={(event) => chosen(event.currentTarget.value)}
          />
          <input
            type="number"
            aria-label={t.number}
            min="0"
            max="100"
            value={percent}
            onInput={(event) => chosen(event.currentTarget.value)}
          />
          <span aria-hidden="true">%</span>
          <button type="button" class="button small" disabled={rate === null} onClick={() => choose(null)}>
            {t.usual}
          </button>
        </div>
      )}
    </Field>
  )
}
