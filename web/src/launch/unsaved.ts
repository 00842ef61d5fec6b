import { blank, type Plan } from './plan'
import type { Asked } from './sameRequest'
import type { Stored } from './store'

/** A form that has not been saved, kept for as long as the browser's tab is open. */
export type Unsaved = {
  plan: Plan
  /** the draft that a test message has made of a new campaign */
  stored?: Stored
  /** the launch that may have been under way */
  launch?: Asked
}

const place = (campaignID: string | undefined) => `campaign:${campaignID ?? 'new'}`

export function keepUnsaved(campaignID: string | undefined, unsaved: Unsaved) {
  try {
    sessionStorage.setItem(place(campaignID), JSON.stringify(unsaved))
  } catch {
    // A browser that keeps nothing, or no more: the form works without.
  }
}

export function forgetUnsaved(campaignID: string | undefined) {
  try {
    sessionStorage.removeItem(place(campaignID))
  } catch {
    // as above
  }
}

export function unsaved(campaignID: string | undefined): Unsaved | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(place(campaignID)) ?? 'null') as Unsaved | null
    return kept?.plan ? { ...kept, plan: { ...blank, ...kept.plan } } : undefined
  } catch {
    return undefined
  }
}
