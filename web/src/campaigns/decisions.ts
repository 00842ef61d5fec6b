import { ask, idempotencyKey, type Schemas } from '../api/client'
import { forget, one, queryClient } from '../api/queries'

const of = (id: string) => ({ params: { path: { id } } })

/** Shows at once what the server has answered; the streams tell it a moment later. */
function took(campaign: Schemas['Campaign']) {
  const { id, status, status_reason, scheduled_at, started_at, deadline_at, completed_at } = campaign
  queryClient.setQueryData(one('/campaigns/{id}', of(id)).queryKey, campaign)
  queryClient.setQueryData<Schemas['LiveCampaign']>(
    ['live', `/campaigns/${id}/events`],
    (live) => live && { ...live, status, status_reason, scheduled_at, started_at, deadline_at, completed_at },
  )
  void forget('/campaigns', '/campaigns/{id}/recipients', '/campaigns/{id}/course')
}

export const pause = async (id: string) => took(await ask('post', '/campaigns/{id}/pause', of(id)))
export const resume = async (id: string) => took(await ask('post', '/campaigns/{id}/resume', of(id)))
export const cancel = async (id: string) => took(await ask('post', '/campaigns/{id}/cancel', of(id)))

/** How many contacts get another chance. */
export async function retryFailed(id: string): Promise<number> {
  const { retried } = await ask('post', '/campaigns/{id}/retry-failed', {
    params: { path: { id }, header: idempotencyKey() },
  })
  void forget('/campaigns/{id}/recipients', '/campaigns/{id}/course')
  return retried
}

/** Launches a draft: now, or at the time that it is planned for. */
export async function launch(id: string) {
  const { campaign } = await ask('post', '/campaigns/{id}/start', {
    params: { path: { id }, header: idempotencyKey() },
  })
  took(campaign)
}

/** Starts now what was to start later. */
export async function startNow(campaign: Schemas['Campaign']) {
  const { id, name, message_1, message_2, message_1_media_url, message_2_media_url } = campaign
  if (campaign.scheduled_at) {
    // A scheduled campaign starts when its time has come: that is the server's now.
    const now = campaign.status === 'scheduled' ? (await ask('get', '/campaigns/{id}/course', of(id))).at : undefined
    took(
      await ask('put', '/campaigns/{id}', {
        ...of(id),
        body: {
          name,
          message_1,
          message_2,
          message_1_media_url,
          message_2_media_url,
          category_ids: campaign.category_ids,
          contact_ids: campaign.contact_ids,
          expected_reply_rate: campaign.expected_reply_rate ?? undefined,
          scheduled_at: now,
        },
      }),
    )
  }
  if (campaign.status === 'draft') await launch(id)
}

export async function remove(id: string) {
  await ask('delete', '/campaigns/{id}', of(id))
  await forget('/campaigns')
}
