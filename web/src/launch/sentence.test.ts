import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Schemas } from '../api/client'
import { forecastSentence } from './sentence'

beforeEach(() => void vi.useFakeTimers({ now: new Date(2026, 5, 1, 9, 0) }))
afterEach(() => void vi.useRealTimers())

const at = (day: number, hour: number, minute = 0) => new Date(2026, 5, day, hour, minute).toISOString()

const forecast: Schemas['Forecast'] = {
  contacts: 833,
  expected_reply_rate: 0.2,
  message_1: 833,
  message_2: 166,
  not_reached: 0,
  first_message_1_at: at(1, 9),
  last_message_1_at: at(2, 18, 40),
  completes_at: at(3, 9),
  hours: [
    { at: at(1, 9), message_1: 400, message_2: 100 },
    { at: at(1, 10), message_1: 100, message_2: 0 },
    { at: at(2, 18), message_1: 333, message_2: 66 },
    { at: at(2, 20), message_1: 0, message_2: 1 },
  ],
}

test('a campaign over two days', () => {
  expect(forecastSentence(forecast, 'en')).toBe(
    '500 leave today and 333 tomorrow, the last at 18:40 tomorrow, 0 will not be reached; complete by 09:00 Wed 3 Jun.',
  )
  expect(forecastSentence(forecast, 'fr')).toBe(
    "500 partent aujourd'hui et 333 demain, le dernier à 18:40 demain, 0 ne seront pas atteints\u00a0; terminée au plus tard mer. 3 juin à 09:00.".replace(
      "aujourd'hui",
      new Intl.RelativeTimeFormat('fr-FR', { numeric: 'auto' }).format(0, 'day'),
    ),
  )
})

test('a campaign that reaches not all', () => {
  const some = { ...forecast, contacts: 1200, message_1: 1000, not_reached: 1200 - 1000 }
  expect(forecastSentence(some, 'en')).toContain('200 will not be reached')
})

test('one contact', () => {
  const one = {
    ...forecast,
    contacts: 1,
    message_1: 1,
    hours: [{ at: at(1, 9), message_1: 1, message_2: 0 }],
    last_message_1_at: at(1, 9),
  }
  expect(forecastSentence(one, 'en')).toMatch(/^1 leaves today, the last at 09:00, 0 will/)
})

test('nobody, and nobody in time', () => {
  expect(forecastSentence({ ...forecast, contacts: 0 }, 'en')).toBe('Nobody would get this campaign.')
  expect(forecastSentence({ ...forecast, message_1: 0, not_reached: 833 }, 'fr')).toContain('Aucun des 833 contacts')
})
