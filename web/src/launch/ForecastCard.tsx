import type { ComponentChildren } from 'preact'
import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { Icon } from '../ui/icons'
import { Failure } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useLanguage, useWords } from '../words/language'
import { HourBars } from './HourBars'
import { forecastSentence } from './sentence'

type Forecast = Schemas['Forecast']

const texts = bilingual(
  {
    title: 'Forecast',
    none: 'Choose an audience to see what the quota allows.',
    fresh: 'Being worked out anew',
    short: (n: string, one: boolean) => `${n} ${one ? 'contact' : 'contacts'} will not be sent Message 1 in time`,
    help: 'The quota has no room for them. What helps: fewer contacts now and the others in a campaign two days later, a start when other campaigns are over, or a higher limit.',
    quota: 'See the quota',
  },
  {
    title: 'Prévision',
    none: 'Choisissez une audience pour voir ce que le quota permet.',
    fresh: 'Nouveau calcul en cours',
    short: (n: string, one: boolean) =>
      one ? `${n} contact ne recevra pas le message 1 à temps` : `${n} contacts ne recevront pas le message 1 à temps`,
    help: "Le quota n'a pas de place pour eux. Ce qui aide\u00a0: moins de contacts maintenant et les autres dans une campagne deux jours plus tard, un début quand d'autres campagnes sont finies, ou une limite plus haute.",
    quota: 'Voir le quota',
  },
)

/** What the quota will let happen. */
export function ForecastCard(props: {
  forecast: Forecast | undefined
  /** whether there is anybody to forecast for */
  asked: boolean
  stale: boolean
  error: unknown
  again: () => unknown
  /** what more can be asked */
  more: ComponentChildren
}) {
  const t = useWords(texts)
  const { language } = useLanguage()
  const { forecast } = props
  return (
    <section class="card forecast" aria-busy={props.stale}>
      <header>
        <h2>{t.title}</h2>
        {props.more}
      </header>
      {!props.asked ? (
        <p class="forecast-room muted">{t.none}</p>
      ) : props.error ? (
        <Failure error={props.error} again={props.again} />
      ) : !forecast ? (
        <div class="forecast-room skeleton" />
      ) : (
        <div class={props.stale ? 'forecast-room stale' : 'forecast-room'} title={props.stale ? t.fresh : undefined}>
          <p class="sentence" data-testid="forecast">
            {forecastSentence(forecast, language)}
          </p>
          {forecast.hours.length > 0 && <HourBars forecast={forecast} />}
          <Unreached forecast={forecast} />
        </div>
      )}
    </section>
  )
}

/** A warning, and what can be done, where the quota leaves contacts out. */
export function Unreached({ forecast }: { forecast: Forecast }) {
  const t = useWords(texts)
  const format = useFormat()
  const n = forecast.not_reached
  if (n === 0) return null
  return (
    <div class="notice warn" role="note">
      <Icon name="warning" />
      <div>
        <p class="strong">{t.short(format.number(n), n === 1)}</p>
        <p>
          {t.help} <Link href="/monitoring">{t.quota}</Link>
        </p>
      </div>
    </div>
  )
}
