import type { Schemas } from '../api/client'
import { type Format, formatIn } from '../words/format'
import { bilingual, type Language } from '../words/language'

type Forecast = Schemas['Forecast']

const texts = bilingual(
  {
    leaving: (number: string, day: string, first: boolean, one: boolean) =>
      first ? `${number} ${one ? 'leaves' : 'leave'} ${day}` : `${number} ${day}`,
    last: (moment: string) => `, the last at ${moment}`,
    out: (number: string) => `, ${number} will not be reached`,
    complete: (moment: string) => `; complete by ${moment}.`,
    nobody: 'Nobody would get this campaign.',
    none: (number: string) => `None of the ${number} contacts can be sent Message 1 before the campaign closes.`,
  },
  {
    leaving: (number: string, day: string, first: boolean, one: boolean) =>
      first ? `${number} ${one ? 'part' : 'partent'} ${day}` : `${number} ${day}`,
    last: (moment: string) => `, le dernier à ${moment}`,
    out: (number: string) => `, ${number} ne seront pas atteints`,
    complete: (moment: string) => `\u00a0; terminée au plus tard ${moment}.`,
    nobody: 'Personne ne recevrait cette campagne.',
    none: (number: string) => `Aucun des ${number} contacts ne peut recevoir le message 1 avant la fin de la campagne.`,
  },
)

/** What the quota lets happen, in one plain sentence. */
export function forecastSentence(forecast: Forecast, language: Language): string {
  const t = texts[language]
  const format = formatIn(language)
  if (forecast.contacts === 0) return t.nobody
  if (forecast.message_1 === 0) return t.none(format.number(forecast.contacts))
  const days = leavingByDay(forecast, format)
  const parts = days.map(({ day, count }, i) => t.leaving(format.number(count), day, i === 0, count === 1))
  return (
    new Intl.ListFormat(format.locale).format(parts) +
    (forecast.last_message_1_at ? t.last(clock(forecast.last_message_1_at, language, days)) : '') +
    t.out(format.number(forecast.not_reached)) +
    (forecast.completes_at ? t.complete(by(forecast.completes_at, language)) : '.')
  )
}

/** How many Message 1s leave on which of the viewer's days. */
function leavingByDay(forecast: Forecast, format: Format): { day: string; count: number }[] {
  const days = new Map<string, number>()
  for (const hour of forecast.hours) {
    if (hour.message_1 === 0) continue
    const day = format.day(hour.at)
    days.set(day, (days.get(day) ?? 0) + hour.message_1)
  }
  return [...days].map(([day, count]) => ({ day, count }))
}

/** "18:40 tomorrow"; "18:40" where the day has just been said. */
function clock(at: string, language: Language, said: { day: string }[]): string {
  const format = formatIn(language)
  const plain = said.length === 1 && said[0]?.day === format.day(at)
  return plain ? format.time(at) : `${format.time(at)} ${format.day(at)}`
}

/** "18:40 tomorrow", "demain à 18:40" */
function by(at: string, language: Language): string {
  const format = formatIn(language)
  return language === 'fr' ? `${format.day(at)} à ${format.time(at)}` : `${format.time(at)} ${format.day(at)}`
}
