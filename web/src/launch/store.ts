import { ask, Problem, type Schemas } from '../api/client'
import { forget, one, queryClient } from '../api/queries'
import { bodyOf, type Plan } from './plan'
import { type Asked, askedAgain, keyOf } from './sameRequest'

type Campaign = Schemas['Campaign']

/** A campaign that is kept by the server, and what it last said there. */
export type Stored = { id: string; status: Campaign['status']; content: string }

export const storedAs = (campaign: Campaign, plan: Plan): Stored => ({
  id: campaign.id,
  status: campaign.status,
  content: JSON.stringify(bodyOf(plan)),
})

/** Has the server keep the plan, as a draft if it keeps none yet; asks nothing if it keeps just that. */
export async function save(plan: Plan, stored: Stored | undefined, draft: Asked | undefined): Promise<Stored> {
  const body = bodyOf(plan)
  const content = JSON.stringify(body)
  if (stored?.content === content) return stored
  const campaign = stored
    ? await ask('put', '/campaigns/{id}', { params: { path: { id: stored.id } }, body })
    : await ask('post', '/campaigns', { params: { header: keyOf(askedAgain(draft, body)) }, body })
  remember(campaign)
  return { id: campaign.id, status: campaign.status, content }
}

/**
 * Starts the campaign, now or at its time, and answers with its id. The same key
 * starts it once, however often this is called.
 */
export async function launch(plan: Plan, stored: Stored | undefined, asked: Asked): Promise<string> {
  const header = keyOf(asked)
  if (!stored) {
    const started = await ask('post', '/campaigns/start', { params: { header }, body: bodyOf(plan) })
    remember(started.campaign)
    return started.campaign.id
  }
  const path = { id: stored.id }
  try {
    if (stored.status === 'scheduled') {
      const at = bodyOf(plan).scheduled_at ?? new Date().toISOString()
      remember(await ask('put', '/campaigns/{id}', { params: { path }, body: { ...bodyOf(plan), scheduled_at: at } }))
    } else {
      await save(plan, stored, undefined)
      remember((await ask('post', '/campaigns/{id}/start', { params: { path, header } })).campaign)
    }
  } catch (refusal) {
    if (!(refusal instanceof Problem && refusal.status === 409 && (await hasBegun(stored.id)))) throw refusal
  }
  return stored.id
}

/** Whether it has been started already, by a request whose answer got lost or by somebody else. */
async function hasBegun(id: string): Promise<boolean> {
  const campaign = await ask('get', '/campaigns/{id}', { params: { path: { id } } })
  remember(campaign)
  return campaign.status !== 'draft' && campaign.status !== 'scheduled'
}

function remember(campaign: Campaign) {
  queryClient.setQueryData(one('/campaigns/{id}', { params: { path: { id: campaign.id } } }).queryKey, campaign)
  void forget('/campaigns', '/monitoring')
}

/**
 * Whether nothing was done and nothing is under way: the server keeps such an
 * answer with the key, so that another try needs another one.
 */
export const isDefinite = (error: unknown) =>
  error instanceof Problem && error.status >= 400 && error.status < 500 && ![408, 409, 429].includes(error.status)
