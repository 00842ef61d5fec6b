import { bilingual, type Language, useLanguage } from './language'

const locales: Record<Language, string> = { en: 'en-GB', fr: 'fr-FR' }

const words = bilingual(
  {
    seconds: (n: number) => `${n} s`,
    minutes: (n: number) => `${n} min`,
    hours: (h: number, m: number) => (m ? `${h} h ${m} min` : `${h} h`),
    days: (d: number, h: number) => (h ? `${d} d ${h} h` : `${d} d`),
  },
  {
    seconds: (n: number) => `${n} s`,
    minutes: (n: number) => `${n} min`,
    hours: (h: number, m: number) => (m ? `${h} h ${m} min` : `${h} h`),
    days: (d: number, h: number) => (h ? `${d} j ${h} h` : `${d} j`),
  },
)

/** How numbers and moments are written: in the reader's language and time zone. */
export type Format = ReturnType<typeof makeFormat>

function makeFormat(language: Language) {
  const locale = locales[language]
  // Made when they are first needed: each costs a browser some milliseconds.
  const number = once(() => new Intl.NumberFormat(locale))
  const percent = once(() => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 }))
  const precise = once(() => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }))
  const time = once(() => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' }))
  const timeToTheSecond = once(
    () => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }),
  )
  const day = once(() => new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'short' }))
  const dayOfAnotherYear = once(
    () => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' }),
  )
  const full = once(() => new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' }))
  const relative = once(() => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))
  const collator = once(() => new Intl.Collator(locale))

  const daysFromNow = (at: Date) => Math.round((midnight(at) - midnight(new Date())) / 86_400_000)

  return {
    locale,
    compare: (a: string, b: string) => collator().compare(a, b),
    number: (n: number) => number().format(n),
    /** 0.4137 is 41 %, but 0.0042 is 0.4 %. */
    percent: (share: number) => (share !== 0 && Math.abs(share) < 0.1 ? precise() : percent()).format(share),
    /** a share of a whole; a dash when there is no whole */
    share: (part: number, whole: number) => (whole > 0 ? percent().format(part / whole) : '–'),
    /** 18:40 */
    time: (at: string | Date) => time().format(new Date(at)),
    timeToTheSecond: (at: string | Date) => timeToTheSecond().format(new Date(at)),
    /** today, tomorrow, yesterday, Thu 3 Dec, 3 Dec 2025 */
    day: (at: string | Date) => {
      const date = new Date(at)
      const days = daysFromNow(date)
      if (Math.abs(days) <= 1) return relative().format(days, 'day')
      return (date.getFullYear() === new Date().getFullYear() ? day() : dayOfAnotherYear()).format(date)
    },
    /** 18:40 if it is today, else with the day */
    moment: (at: string | Date) => {
      const date = new Date(at)
      if (daysFromNow(date) === 0) return time().format(date)
      return `${Math.abs(daysFromNow(date)) === 1 ? relative().format(daysFromNow(date), 'day') : (date.getFullYear() === new Date().getFullYear() ? day() : dayOfAnotherYear()).format(date)} ${time().format(date)}`
    },
    /** for whoever wants to know exactly */
    full: (at: string | Date) => full().format(new Date(at)),
    /** 45 s, 12 min, 3 h 20 min, 2 d 4 h */
    duration: (seconds: number) => {
      const s = Math.max(0, Math.round(seconds))
      const w = words[language]
      if (s < 60) return w.seconds(s)
      const minutes = Math.round(s / 60)
      if (minutes < 60) return w.minutes(minutes)
      const hours = Math.floor(minutes / 60)
      if (hours < 24) return w.hours(hours, minutes % 60)
      return w.days(Math.floor(hours / 24), hours % 24)
    },
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

const midnight = (at: Date) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime()

const made: Partial<Record<Language, Format>> = {}

export function formatIn(language: Language): Format {
  made[language] ??= makeFormat(language)
  return made[language]
}

export const useFormat = () => formatIn(useLanguage().language)
