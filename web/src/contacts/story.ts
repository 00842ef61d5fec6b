import type { Schemas } from '../api/client'

export type Event = Schemas['Timeline']

/** A part of a contact's story: what happened in one campaign, or something about the contact itself. */
export type Chapter = { campaign?: { id: string; name: string }; events: Event[] }

/** A story in chapters, each at the place of its first event. */
export function chapters(events: Event[]): Chapter[] {
  const told: Chapter[] = []
  const byCampaign = new Map<string, Chapter>()
  for (const event of events) {
    const { campaign } = event
    const known = campaign && byCampaign.get(campaign.id)
    if (known) {
      known.events.push(event)
      continue
    }
    const chapter: Chapter = { campaign, events: [event] }
    if (campaign) byCampaign.set(campaign.id, chapter)
    told.push(chapter)
  }
  return told
}

/** How an event looks at a glance. */
export function tone({ event, within_24h: inTime, state }: Event): 'good' | 'bad' | 'warn' | 'plain' {
  if (event === 'failed' || state === 'failed') return 'bad'
  if (event === 'answered' || state === 'message_2_sent' || (event === 'replied' && inTime)) return 'good'
  if (event === 'opted_out' || event === 'replied' || state === 'late_interaction') return 'warn'
  return 'plain'
}
