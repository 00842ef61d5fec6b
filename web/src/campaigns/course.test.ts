import { expect, test } from 'vitest'
import { bars, roundUp, ticks } from './course'

const start = Date.parse('2026-06-01T09:30:00Z')
const hour = 3_600_000
const course = (step_seconds: number, steps: [offset: number, one: number, two: number, replies: number][]) => ({
  at: '2026-06-01T12:00:00Z',
  completes_at: null,
  message_1_per_hour: null,
  waiting: 0,
  step_seconds,
  steps: steps.map(([offset, message_1, message_2, replies]) => ({
    at: new Date(start + 1_000 * offset).toISOString(),
    message_1,
    message_2,
    replies,
  })),
})

test('steps without anything are bars too', () => {
  const { bars: all, width } = bars(
    course(3600, [
      [0, 5, 0, 0],
      [7200, 1, 2, 3],
    ]),
    start,
    start + 3.5 * hour,
  )
  expect(width).toBe(hour)
  expect(all.slice(0, 4).map((bar) => [bar.message_1, bar.message_2, bar.replies])).toEqual([
    [5, 0, 0],
    [0, 0, 0],
    [1, 2, 3],
    [0, 0, 0],
  ])
  expect(all.slice(0, 4).map((bar) => (bar.at - start) / hour)).toEqual([0, 1, 2, 3])
})

test('a reply that came days after the end is in the chart, and nothing is lost by joining steps', () => {
  const late = course(3600, [
    [0, 5, 0, 0],
    [3600, 0, 1, 1],
    [3600 * 300, 0, 0, 1],
  ])
  const { bars: all } = bars(late, start, start + 48 * hour)
  expect(all.length).toBeLessThanOrEqual(72)
  expect(all.reduce((sum, bar) => sum + bar.message_1 + bar.message_2 + bar.replies, 0)).toBe(8)
  expect(all.at(-1)?.replies).toBe(1)
})

test('before the start there is nothing to show', () => {
  expect(bars(course(0, []), start, start).bars).toEqual([])
})

test('ticks are round on the clock of the viewer', () => {
  const from = new Date(2026, 5, 1, 9, 30).getTime()
  const clock = (at: number) => `${new Date(at).getHours()}:${new Date(at).getMinutes()}`
  expect(ticks(from, from + 5 * hour, 6).at.map(clock)).toEqual(['10:0', '11:0', '12:0', '13:0', '14:0'])
  expect(ticks(from, from + 48 * hour, 6).at.map(clock)).toEqual(['12:0', '0:0', '12:0', '0:0'])
  const days = ticks(from, from + 10 * 24 * hour, 6)
  expect(days.at.every((at) => clock(at) === '0:0')).toBe(true)
  expect(ticks(from, from + 20_000, 6).at.length).toBeLessThanOrEqual(7)
})

test('scales end at a round number', () => {
  expect([0, 1, 3, 5, 9, 41, 833].map(roundUp)).toEqual([1, 1, 4, 6, 10, 60, 1000])
})
