import { expect, test } from 'vitest'
import type { Schemas } from '../api/client'
import { type Listed, withLive, withNews } from './live'

const campaign = (id: string, status: Schemas['Campaign']['status']) =>
  ({ id, status, name: id, status_reason: '', stats: { total_contacts: 3 } }) as Schemas['Campaign']
const live = (id: string, status: Listed['status']) =>
  ({ id, status, status_reason: 'why', stats: { total_contacts: 5 } }) as Listed

test('rows are as the stream tells, the others as they were listed', () => {
  const rows = withLive([campaign('b', 'running'), campaign('a', 'running')], [live('b', 'completed')])
  expect(rows.map((row) => [row.id, row.status, row.stats.total_contacts])).toEqual([
    ['b', 'completed', 5],
    ['a', 'running', 3],
  ])
})

test('a campaign of which the stream tells nothing is as it was asked for', () => {
  expect(withLive([campaign('a', 'draft')], undefined)[0]?.status).toBe('draft')
  expect(withNews(campaign('a', 'draft'), undefined).status).toBe('draft')
})

test('news leave alone what cannot change', () => {
  const shown = withNews(campaign('a', 'running'), live('a', 'paused'))
  expect([shown.name, shown.status, shown.status_reason]).toEqual(['a', 'paused', 'why'])
})
