import { expect, test } from 'vitest'
import { chapters, type Event, tone } from './story'

const at = '2026-01-01T00:00:00Z'
const spring = { id: '1', name: 'Spring' }
const summer = { id: '2', name: 'Summer' }

test('a late reply belongs to the campaign that it answers', () => {
  const story: Event[] = [
    { at, event: 'created' },
    { at, event: 'sent', campaign: spring },
    { at, event: 'sent', campaign: summer },
    { at, event: 'opted_out' },
    { at, event: 'replied', campaign: spring, within_24h: false },
  ]
  expect(chapters(story).map(({ campaign, events }) => [campaign?.name, events.map(({ event }) => event)])).toEqual([
    [undefined, ['created']],
    ['Spring', ['sent', 'replied']],
    ['Summer', ['sent']],
    [undefined, ['opted_out']],
  ])
})

test('a reply in time is good, a late one is not', () => {
  expect(tone({ at, event: 'replied', within_24h: true })).toBe('good')
  expect(tone({ at, event: 'replied', within_24h: false })).toBe('warn')
  expect(tone({ at, event: 'finished', state: 'failed' })).toBe('bad')
})
