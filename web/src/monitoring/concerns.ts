import type { Schemas } from '../api/client'

/** Something that a person should look at, and where. */
export type Concern = {
  /** bad: messages or replies do not go out; warn: they do, but something wants a look */
  level: 'bad' | 'warn'
  kind:
    | 'device_halted'
    | 'no_workers'
    | 'temporal_away'
    | 'redis_away'
    | 'quota_blocked'
    | 'quota_danger'
    | 'unknown_outcomes'
    | 'answers_late'
    | 'webhooks_late'
    | 'campaign_paused_itself'
    | 'import_failed'
    | 'import_rejected'
  count?: number
  name?: string
  reason?: string
  since?: string | null
  link?: string
}

type Campaign = Pick<Schemas['LiveCampaign'], 'id' | 'name' | 'status' | 'status_reason'>
type Import = Pick<Schemas['Import'], 'id' | 'state' | 'error' | 'rejected' | 'finished_at'>

const BY_HAND = 'Paused by an admin'
/** Answers and notices that have waited for longer are not just on their way. */
export const LATE = 60_000
const FRESH = 24 * 3_600_000

/** What needs a person, the worst first; empty when all is well. */
export function concerns(m: Schemas['Monitoring'], campaigns: Campaign[] = [], imports: Import[] = []): Concern[] {
  const now = new Date(m.at).getTime()
  const age = (at: string | null) => (at ? now - new Date(at).getTime() : 0)
  const found: Concern[] = []

  // Where resuming tries the device again.
  const held = campaigns.find((c) => c.status === 'paused' && !c.status_reason.startsWith(BY_HAND))
  if (m.device.halted)
    found.push({
      level: 'bad',
      kind: 'device_halted',
      reason: m.device.halt_reason,
      since: m.device.halted_at,
      link: held ? `/campaigns/${held.id}` : '/campaigns',
    })
  if (m.temporal === 'unreachable') found.push({ level: 'bad', kind: 'temporal_away', link: '/monitoring' })
  else if (m.temporal === 'ok' && !m.workers.ok)
    found.push({ level: 'bad', kind: 'no_workers', since: m.workers.last_seen_at, link: '/monitoring' })
  if (age(m.backlog.oldest_answer_at) > LATE)
    found.push({
      level: 'bad',
      kind: 'answers_late',
      count: m.backlog.answers,
      since: m.backlog.oldest_answer_at,
      link: '/messages?type=message_2&status=pending',
    })
  if (m.quota.level === 'blocked')
    found.push({ level: 'bad', kind: 'quota_blocked', since: m.quota.next_slot_at, link: '/monitoring' })

  // A halted device says more, and pauses them all.
  for (const campaign of campaigns)
    if (campaign.status === 'paused' && !m.device.halted && !campaign.status_reason.startsWith(BY_HAND))
      found.push({
        level: 'warn',
        kind: 'campaign_paused_itself',
        name: campaign.name,
        reason: campaign.status_reason,
        link: `/campaigns/${campaign.id}`,
      })
  const unknown = m.errors.filter((error) => error.kind === 'message_unknown').length
  if (unknown > 0)
    found.push({ level: 'warn', kind: 'unknown_outcomes', count: unknown, link: '/messages?status=unknown' })
  if (m.quota.level === 'danger')
    found.push({ level: 'warn', kind: 'quota_danger', count: m.quota.left, link: '/monitoring' })
  if (age(m.backlog.oldest_webhook_at) > LATE)
    found.push({
      level: 'warn',
      kind: 'webhooks_late',
      count: m.backlog.webhooks,
      since: m.backlog.oldest_webhook_at,
      link: '/monitoring',
    })
  if (m.redis === 'unreachable') found.push({ level: 'warn', kind: 'redis_away', link: '/monitoring' })
  for (const job of imports) {
    if (!job.finished_at || age(job.finished_at) > FRESH) continue
    const link = `/contacts/imports/${job.id}`
    if (job.state === 'failed')
      found.push({ level: 'warn', kind: 'import_failed', reason: job.error, since: job.finished_at, link })
    else if (job.rejected > 0)
      found.push({ level: 'warn', kind: 'import_rejected', count: job.rejected, since: job.finished_at, link })
  }
  return found
}
