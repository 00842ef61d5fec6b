import type { Schemas } from '../api/client'

/** A campaign as a row of the list shows it. */
export type Listed = Schemas['LiveCampaign']

/** The campaigns of the list, those that the live stream tells of as it last told. */
export function withLive(items: Schemas['Campaign'][], live: Listed[] | undefined): Listed[] {
  const fresh = new Map(live?.map((campaign) => [campaign.id, campaign]))
  return items.map((campaign) => fresh.get(campaign.id) ?? { ...campaign, stats: campaign.stats ?? noStats })
}

/** A campaign with what has changed about it since it was asked for. */
export function withNews(campaign: Schemas['Campaign'], live: Listed | undefined): Schemas['Campaign'] {
  if (!live) return campaign
  const { status, status_reason, scheduled_at, started_at, deadline_at, completed_at } = live
  return { ...campaign, status, status_reason, scheduled_at, started_at, deadline_at, completed_at }
}

const none = { sent: 0, delivered: 0, read: 0, failed: 0, unknown: 0 }

const noStats: Schemas['Stats'] = {
  total_contacts: 0,
  messages_sent: 0,
  messages_delivered: 0,
  messages_read: 0,
  interactions: 0,
  failures: 0,
  unknown: 0,
  replied: 0,
  by_type: { message_1: none, message_2: none },
  states: {},
}
