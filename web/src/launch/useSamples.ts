import { useQueries } from '@tanstack/preact-query'
import type { Schemas } from '../api/client'
import { one } from '../api/queries'
import type { Plan } from './plan'

/** How many contacts of a category, and how many categories and contacts, are looked at. */
const FEW = 20
const SOURCES = 5

/** Some real contacts of the audience, to see the messages with their data. */
export function useSamples(plan: Plan): { contacts: Schemas['Contact'][]; loading: boolean } {
  const categories = useQueries({
    queries: plan.category_ids
      .slice(0, SOURCES)
      .map((category_id) => one('/contacts', { params: { query: { category_id, opted_out: 'false', limit: FEW } } })),
  })
  const single = useQueries({
    queries: plan.contact_ids.slice(0, SOURCES).map((id) => one('/contacts/{id}', { params: { path: { id } } })),
  })
  const found = [...single.map((query) => query.data), ...categories.flatMap((query) => query.data?.items ?? [])]
  const known = new Map<string, Schemas['Contact']>()
  for (const contact of found) if (contact && !contact.opted_out_at) known.set(contact.id, contact)
  return { contacts: [...known.values()], loading: [...single, ...categories].some((query) => query.isPending) }
}

/** The names of the attributes that contacts have, those of most contacts first. */
export function attributesOf(contacts: { attributes: Record<string, string> }[]): string[] {
  const seen = new Map<string, number>()
  for (const contact of contacts)
    for (const name of Object.keys(contact.attributes)) seen.set(name, (seen.get(name) ?? 0) + 1)
  return [...seen].sort(([, a], [, b]) => b - a).map(([name]) => name)
}
