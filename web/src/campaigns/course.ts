import type { Schemas } from '../api/client'

/** What happened from a moment on, for as long as each bar of the chart lasts. */
export type Bar = { at: number; message_1: number; message_2: number; replies: number }

/** More bars than this are thinner than one can point at; fewer are planks. */
const MOST = 72
const LEAST = 24

/**
 * The steps of a campaign's course from its start to an end, also those in which
 * nothing happened. Where there are very many, because a reply came days later,
 * several make one bar.
 */
export function bars(course: Schemas['Course'], start: number, end: number): { bars: Bar[]; width: number } {
  const step = 1_000 * course.step_seconds
  if (!(step > 0)) return { bars: [], width: 0 }
  const last = course.steps.reduce((latest, { at }) => Math.max(latest, Date.parse(at)), end)
  const steps = Math.max(LEAST, Math.floor(Math.max(0, last - start) / step) + 1)
  const width = step * Math.ceil(steps / MOST)
  const all: Bar[] = Array.from({ length: Math.ceil((steps * step) / width) }, (_, i) => ({
    at: start + i * width,
    message_1: 0,
    message_2: 0,
    replies: 0,
  }))
  for (const { at, message_1, message_2, replies } of course.steps) {
    const bar = all[Math.max(0, Math.floor((Date.parse(at) - start) / width))]
    if (!bar) continue
    bar.message_1 += message_1
    bar.message_2 += message_2
    bar.replies += replies
  }
  return { bars: all, width }
}

const DAY = 86_400
const between = [
  1,
  2,
  5,
  10,
  15,
  30,
  60,
  120,
  300,
  600,
  900,
  1800,
  3600,
  7200,
  10800,
  21600,
  43200,
  DAY,
  2 * DAY,
  7 * DAY,
]

/**
 * Moments that people think in, on the clock of the viewer's zone, at most so many
 * between two others, and how many seconds lie between them.
 */
export function ticks(from: number, to: number, most: number): { at: number[]; seconds: number } {
  const seconds = between.find((s) => (to - from) / 1_000 / s <= most) ?? 30 * DAY
  const midnight = new Date(from)
  midnight.setHours(0, 0, 0, 0)
  const at: number[] = []
  // An hour back: a day may have begun with one more or one less.
  for (let n = Math.max(0, Math.floor((from - midnight.getTime() - 3_600_000) / 1_000 / seconds)); ; n++) {
    const tick = new Date(midnight)
    if (seconds < DAY) tick.setSeconds(n * seconds)
    else tick.setDate(midnight.getDate() + (n * seconds) / DAY)
    if (tick.getTime() > to) return { at, seconds }
    if (tick.getTime() >= from) at.push(tick.getTime())
  }
}

/** The round number that a scale ends at: the least that is enough. */
export function roundUp(most: number): number {
  for (let ten = 1; ; ten *= 10) {
    for (const n of [1, 2, 4, 6, 8]) if (n * ten >= most) return n * ten
  }
}
