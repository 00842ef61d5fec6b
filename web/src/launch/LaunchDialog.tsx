import { useRef, useState } from 'preact/hooks'
import type { Schemas } from '../api/client'
import { Dialog } from '../ui/dialog'
import { useReason } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useLanguage, useWords } from '../words/language'
import { Unreached } from './ForecastCard'
import { moment, type Plan } from './plan'
import { forecastSentence } from './sentence'

const texts = bilingual(
  {
    launch: (name: string) => `Launch “${name}”?`,
    schedule: (name: string) => `Schedule “${name}”?`,
    audience: 'Audience',
    contacts: (n: string, one: boolean) =>
      `${n} ${one ? 'contact' : 'contacts'}, each once, without those who opted out`,
    start: 'Start',
    now: 'Now. Message 1 begins to leave at once; what has left cannot be taken back.',
    at: (moment: string) => `${moment}. Until then it can be changed or cancelled.`,
    forecast: 'Forecast',
    back: 'Go back',
    launchNow: 'Launch now',
    scheduleIt: 'Schedule',
  },
  {
    launch: (name: string) => `Lancer «\u00a0${name}\u00a0»\u00a0?`,
    schedule: (name: string) => `Programmer «\u00a0${name}\u00a0»\u00a0?`,
    audience: 'Audience',
    contacts: (n: string, one: boolean) =>
      one ? `${n} contact, sans les désinscrits` : `${n} contacts, chacun une seule fois, sans les désinscrits`,
    start: 'Début',
    now: 'Maintenant. Les messages 1 commencent à partir aussitôt\u00a0; ce qui est parti ne se reprend pas.',
    at: (moment: string) => `${moment}. Jusque-là, elle peut être modifiée ou annulée.`,
    forecast: 'Prévision',
    back: 'Retour',
    launchNow: 'Lancer maintenant',
    scheduleIt: 'Programmer',
  },
)

/** The last question before a campaign starts: to whom, when, and what will happen. */
export function LaunchDialog({
  plan,
  forecast,
  run,
  close,
}: {
  plan: Plan
  forecast: Schemas['Forecast']
  run: () => Promise<unknown>
  close: () => void
}) {
  const t = useWords(texts)
  const { language } = useLanguage()
  const format = useFormat()
  const reason = useReason()
  const [busy, setBusy] = useState(false)
  const running = useRef(false)
  const [error, setError] = useState<unknown>()
  const at = plan.when === 'later' ? moment(plan.at) : undefined
  const confirm = async () => {
    if (running.current) return // the second click of a double click
    running.current = true
    setBusy(true)
    setError(undefined)
    try {
      await run()
    } catch (refusal) {
      setError(refusal)
    } finally {
      running.current = false
      setBusy(false)
    }
  }
  return (
    <Dialog title={(at ? t.schedule : t.launch)(plan.name.trim())} close={close}>
      <dl class="facts">
        <dt>{t.audience}</dt>
        <dd>{t.contacts(format.number(forecast.contacts), forecast.contacts === 1)}</dd>
        <dt>{t.start}</dt>
        <dd>{at ? t.at(format.full(at)) : t.now}</dd>
        <dt>{t.forecast}</dt>
        <dd>{forecastSentence(forecast, language)}</dd>
      </dl>
      <div>
        <Unreached forecast={forecast} />
      </div>
      {error !== undefined && (
        <p class="error" role="alert">
          {reason(error)}
        </p>
      )}
      <footer>
        <button type="button" class="button" onClick={close}>
          {t.back}
        </button>
        <button type="button" class="button main" disabled={busy} onClick={confirm}>
          {at ? t.scheduleIt : t.launchNow}
        </button>
      </footer>
    </Dialog>
  )
}
