import { expect, test } from 'vitest'
import type { Schemas } from '../api/client'
import { concerns } from './concerns'

const at = '2026-06-01T10:00:00Z'
const well: Schemas['Monitoring'] = {
  at,
  quota: { limit: 1000, used: 10, left: 990, reserved: 5, level: 'ok', next_slot_at: at, window_seconds: 86_400 },
  device: { id: 'd', halted: false, halted_at: null, halt_reason: '' },
  reply_rate: 0.3,
  remaining_capacity: 400,
  backlog: { webhooks: 0, oldest_webhook_at: null, answers: 0, oldest_answer_at: null },
  temporal: 'ok',
  redis: 'ok',
  workers: { ok: true, reason: '', polling: 1, last_seen_at: at },
  days: [],
  errors: [],
}
const kinds = (...args: Parameters<typeof concerns>) => concerns(...args).map((c) => `${c.level} ${c.kind}`)
const campaign = (status: 'paused' | 'running', status_reason: string) => ({
  id: 'c',
  name: 'Spring',
  status,
  status_reason,
})

test('nobody is bothered while all is well', () => {
  expect(concerns(well, [campaign('running', ''), campaign('paused', 'Paused by an admin.')])).toEqual([])
  expect(concerns({ ...well, redis: 'off' })).toEqual([])
})

test('what stops messages comes before what only wants a look', () => {
  const halted = { id: 'd', halted: true, halted_at: at, halt_reason: 'logged out' }
  expect(
    kinds({ ...well, redis: 'unreachable', device: halted, quota: { ...well.quota, level: 'blocked', left: 0 } }),
  ).toEqual(['bad device_halted', 'bad quota_blocked', 'warn redis_away'])
})

test('workers are not blamed for a Temporal that cannot be asked about them', () => {
  const workers = { ok: false, reason: 'x', polling: 0, last_seen_at: null }
  expect(kinds({ ...well, workers })).toEqual(['bad no_workers'])
  expect(kinds({ ...well, workers, temporal: 'unreachable' })).toEqual(['bad temporal_away'])
  expect(kinds({ ...well, workers, temporal: 'unknown' })).toEqual([])
})

test('what is owed for a minute is in order, for longer it is not', () => {
  const owed = (since: string) => ({ ...well, backlog: { ...well.backlog, answers: 2, oldest_answer_at: since } })
  expect(kinds(owed('2026-06-01T09:59:00Z'))).toEqual([])
  expect(kinds(owed('2026-06-01T09:58:59Z'))).toEqual(['bad answers_late'])
})

test('a campaign that paused itself is named, unless the halted device says it for all', () => {
  const paused = [campaign('paused', 'device halted: 402')]
  expect(kinds(well, paused)).toEqual(['warn campaign_paused_itself'])
  expect(kinds({ ...well, device: { id: 'd', halted: true, halted_at: at, halt_reason: '402' } }, paused)).toEqual([
    'bad device_halted',
  ])
})

test('imports of the last day that lost rows are told, older ones are not', () => {
  const job = (state: 'done' | 'failed', rejected: number, finished_at: string) => ({
    id: 'i',
    state,
    rejected,
    finished_at,
    error: '',
  })
  expect(kinds(well, [], [job('done', 3, '2026-05-31T10:00:01Z'), job('failed', 0, at), job('done', 0, at)])).toEqual([
    'warn import_rejected',
    'warn import_failed',
  ])
  expect(kinds(well, [], [job('done', 3, '2026-05-31T09:59:59Z')])).toEqual([])
})

test('a halted device leads to a campaign that it paused, where resuming tries again', () => {
  const m = { ...well, device: { id: 'd', halted: true, halted_at: at, halt_reason: 'logged out' } }
  const paused = [
    { ...campaign('paused', 'Paused by an admin.'), id: 'by hand' },
    { ...campaign('paused', 'device halted: logged out'), id: 'held' },
  ]
  expect(concerns(m, paused)).toMatchObject([{ kind: 'device_halted', link: '/campaigns/held' }])
  expect(concerns(m)).toMatchObject([{ kind: 'device_halted', link: '/campaigns' }])
})
