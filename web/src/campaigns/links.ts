import type { RecipientState } from '../words/terms'

/** How far a recipient came: the steps of the funnel that have a list behind them. */
export type Reached = 'sent' | 'delivered' | 'read' | 'replied' | 'answered'

export const reachedSteps: Reached[] = ['sent', 'delivered', 'read', 'replied', 'answered']

/** Where the recipients of a campaign are listed, all or some of them. */
export function recipientsOf(id: string, some: { state?: RecipientState; reached?: Reached } = {}) {
  const query = new URLSearchParams(some).toString()
  return `/campaigns/${id}${query && `?${query}`}`
}
