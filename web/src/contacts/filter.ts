import { useSearchParams } from 'wouter-preact'

/** Which contacts are listed; it stands in the address, so that a list can be linked to. */
export type ContactFilter = { q?: string; category_id?: string; opted_out?: 'true' | 'false' }

export function useContactFilter() {
  const [search, setSearch] = useSearchParams()
  const optedOut = search.get('opted_out')
  const filter: ContactFilter = {
    ...(search.get('q') ? { q: search.get('q') ?? '' } : {}),
    ...(search.get('category_id') ? { category_id: search.get('category_id') ?? '' } : {}),
    ...(optedOut === 'true' || optedOut === 'false' ? { opted_out: optedOut } : {}),
  }
  /** Back leads to the filter before, but not through every letter of a search. */
  const narrow = (change: ContactFilter, typing = false) =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before)
        for (const [name, value] of Object.entries(change)) {
          if (value) after.set(name, value)
          else after.delete(name)
        }
        return after
      },
      { replace: typing },
    )
  return { filter, narrow, clear: () => setSearch({}) }
}

export const queryString = (filter: ContactFilter) => {
  const query = new URLSearchParams(filter).toString()
  return query ? `?${query}` : ''
}
