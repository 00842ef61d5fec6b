import type { Schemas } from '../api/client'

/** What the form of a campaign says. */
export type Plan = {
  name: string
  message_1: string
  message_2: string
  message_1_media_url: string
  message_2_media_url: string
  category_ids: string[]
  contact_ids: string[]
  when: 'now' | 'later'
  /** what the date field says, in the viewer's zone: 2026-06-01T09:00 */
  at: string
  /** 0 to 1; null leaves it to the server's experience */
  rate: number | null
}

export type MessageName = 'message_1' | 'message_2'

export const blank: Plan = {
  name: '',
  message_1: '',
  message_2: '',
  message_1_media_url: '',
  message_2_media_url: '',
  category_ids: [],
  contact_ids: [],
  when: 'now',
  at: '',
  rate: null,
}

export function planOf(campaign: Schemas['Campaign'], now = new Date()): Plan {
  const at = campaign.scheduled_at ? new Date(campaign.scheduled_at) : undefined
  const toCome = at !== undefined && at > now
  return {
    name: campaign.name,
    message_1: campaign.message_1,
    message_2: campaign.message_2,
    message_1_media_url: campaign.message_1_media_url ?? '',
    message_2_media_url: campaign.message_2_media_url ?? '',
    category_ids: campaign.category_ids,
    contact_ids: campaign.contact_ids ?? [],
    when: toCome ? 'later' : 'now',
    at: toCome ? localInput(at) : '',
    rate: campaign.expected_reply_rate,
  }
}

/** What the API is told. */
export function bodyOf(plan: Plan): Schemas['CampaignBody'] {
  const at = plan.when === 'later' ? moment(plan.at) : undefined
  return {
    name: plan.name,
    message_1: plan.message_1,
    message_2: plan.message_2,
    category_ids: plan.category_ids,
    contact_ids: plan.contact_ids,
    ...(plan.message_1_media_url.trim() ? { message_1_media_url: plan.message_1_media_url.trim() } : {}),
    ...(plan.message_2_media_url.trim() ? { message_2_media_url: plan.message_2_media_url.trim() } : {}),
    ...(at ? { scheduled_at: at.toISOString() } : {}),
    ...(plan.rate === null ? {} : { expected_reply_rate: plan.rate }),
  }
}

/**
 * What a forecast is asked with: it depends on the audience, the moment and the
 * rate only, so it is there before anything has been written.
 */
export function askedOf(plan: Plan): Schemas['CampaignBody'] {
  return { ...bodyOf({ ...plan, message_1_media_url: '', message_2_media_url: '' }), ...written }
}
const written = { name: '–', message_1: '–', message_2: '–' }

export const hasAudience = (plan: Pick<Plan, 'category_ids' | 'contact_ids'>) =>
  plan.category_ids.length + plan.contact_ids.length > 0

/** What a date field says, as a moment; undefined if it says none. */
export function moment(local: string): Date | undefined {
  const at = new Date(local)
  return local && !Number.isNaN(at.getTime()) ? at : undefined
}

/** A moment as a date field has it, in the viewer's zone. */
export function localInput(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`
}

/** The next full hour that is at least one hour away. */
export function inAnHour(now = new Date()): Date {
  const at = new Date(now)
  at.setHours(at.getHours() + 2, 0, 0, 0)
  return at
}

/** What is wrong with the moment, before the server is asked. */
export function whenProblem(plan: Plan, now = new Date()): 'missing' | 'past' | undefined {
  if (plan.when === 'now') return undefined
  const at = moment(plan.at)
  if (!at) return 'missing'
  return at.getTime() < now.getTime() - 60_000 ? 'past' : undefined
}
