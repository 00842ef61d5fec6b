import type { Schemas } from '../api/client'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { terms } from '../words/terms'

type Forecast = Schemas['Forecast']

const texts = bilingual(
  { chart: (first: string, second: string) => `Sends by the hour: ${first} Message 1s, ${second} Message 2s` },
  { chart: (first: string, second: string) => `Envois par heure\u00a0: ${first} messages 1, ${second} messages 2` },
)

const HEIGHT = 56

/** What leaves in each hour from the start to the end of the campaign. */
export function HourBars({ forecast }: { forecast: Forecast }) {
  const t = useWords(texts)
  const words = useWords(terms)
  const format = useFormat()
  const { bars, end } = barsOf(forecast)
  const most = Math.max(...forecast.hours.map((hour) => hour.message_1 + hour.message_2), 1)
  const tall = (n: number) => (n === 0 ? 0 : Math.max(1.5, (HEIGHT * n) / most))
  const first = bars[0]
  return (
    <figure class="hour-bars">
      <svg
        viewBox={`0 0 100 ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t.chart(format.number(forecast.message_1), format.number(forecast.message_2))}
      >
        {bars.map(({ hour, x, width }) => {
          const one = tall(hour.message_1)
          const two = tall(hour.message_2)
          return (
            <g key={hour.at}>
              <title>
                {`${format.moment(hour.at)}\n${words.messageType.message_1}: ${format.number(hour.message_1)}\n${words.messageType.message_2}: ${format.number(hour.message_2)}`}
              </title>
              <rect class="bar-1" x={x} width={width} y={HEIGHT - one} height={one} />
              <rect class="bar-2" x={x} width={width} y={HEIGHT - one - two} height={two} />
            </g>
          )
        })}
      </svg>
      <figcaption>
        <span>{first && format.moment(first.hour.at)}</span>
        <span>{format.moment(end)}</span>
        <span class="keys">
          <i class="dot bar-1" aria-hidden="true" /> {words.messageType.message_1}
          <i class="dot bar-2" aria-hidden="true" /> {words.messageType.message_2}
        </span>
      </figcaption>
    </figure>
  )
}

const HOUR = 3_600_000
const GAP = 0.25

/** Where each hour's bar stands, in percent of the time from the start to the end. */
function barsOf(forecast: Forecast) {
  const starts = forecast.hours.map((hour) => Date.parse(hour.at))
  const begin = starts[0] ?? 0
  const last = starts.at(-1) ?? begin
  const complete = Date.parse(forecast.completes_at ?? '') || last + HOUR
  // An hour is shorter where the whole campaign is: see campaign.HourCount.
  const hour = starts
    .slice(1)
    .reduce((least, at, i) => Math.min(least, at - (starts[i] ?? at)), Math.min(HOUR, Math.max(complete - begin, 1)))
  const end = complete > last ? complete : last + hour
  const percent = 100 / (end - begin)
  const bars = forecast.hours.map((each, i) => ({
    hour: each,
    x: ((starts[i] ?? 0) - begin) * percent,
    width: Math.max(0.6, hour * percent - GAP),
  }))
  return { bars, end: new Date(end) }
}
