import { expect, test } from 'vitest'
import { askedOf, blank, bodyOf, inAnHour, localInput, moment, planOf, whenProblem } from './plan'

const campaign = {
  name: 'Spring',
  message_1: 'Hello',
  message_2: 'Thanks',
  category_ids: ['c'],
  expected_reply_rate: 0.4,
} as Parameters<typeof planOf>[0]

test('a stored campaign becomes a form and the same campaign again', () => {
  const at = '2031-05-06T07:08:00.000Z'
  const plan = planOf({ ...campaign, scheduled_at: at, message_1_media_url: 'https://example.com/a.png' })
  expect(plan.when).toBe('later')
  expect(bodyOf(plan)).toEqual({
    name: 'Spring',
    message_1: 'Hello',
    message_2: 'Thanks',
    category_ids: ['c'],
    contact_ids: [],
    message_1_media_url: 'https://example.com/a.png',
    scheduled_at: at,
    expected_reply_rate: 0.4,
  })
})

test('a moment that has passed is not kept', () => {
  expect(planOf({ ...campaign, scheduled_at: '2020-01-01T00:00:00Z' }).when).toBe('now')
  expect(bodyOf({ ...blank, when: 'now', at: '2031-01-01T00:00' }).scheduled_at).toBeUndefined()
})

test('a forecast is asked with texts that are valid, whatever has been written', () => {
  const one = askedOf({ ...blank, category_ids: ['c'], message_1: '{{', message_2_media_url: 'x' })
  expect(one).toEqual(askedOf({ ...blank, category_ids: ['c'] }))
  expect(one.message_1).not.toBe('')
})

test('date fields are in the zone of the viewer', () => {
  const at = new Date(2031, 0, 2, 3, 4)
  expect(localInput(at)).toBe('2031-01-02T03:04')
  expect(moment('2031-01-02T03:04')).toEqual(at)
  expect(moment('')).toBeUndefined()
  expect(localInput(inAnHour(new Date(2031, 0, 2, 23, 4)))).toBe('2031-01-03T01:00')
})

test('a date that is missing or past is told before the server is asked', () => {
  const now = new Date(2031, 0, 2, 3, 4)
  expect(whenProblem({ ...blank, when: 'later', at: '' }, now)).toBe('missing')
  expect(whenProblem({ ...blank, when: 'later', at: '2031-01-02T03:00' }, now)).toBe('past')
  expect(whenProblem({ ...blank, when: 'later', at: '2031-01-02T03:04' }, now)).toBeUndefined()
  expect(whenProblem({ ...blank, at: '2020-01-01T00:00' }, now)).toBeUndefined()
})
