import {
  type InfiniteData,
  type Mutation,
  type MutationOptions,
  type QueryClient,
  useMutation,
  useMutationState,
  useQueryClient,
} from '@tanstack/preact-query'
import type { Page } from './queries'

/**
 * A change that was asked for and not yet answered. Lists show it at once
 * (Property 3); when the server refuses it, it is no longer under way and the
 * lists are what they were, whatever else was changed meanwhile.
 */
export type Change<T extends { id: string }> =
  | { kind: 'create'; item: T }
  | { kind: 'delete'; id: string; name?: string }

export type Filter = Record<string, unknown>

/** What must be known of a kind of thing for its lists to show changes. */
export type Kind<T extends { id: string }> = {
  /** where the API lists it */
  path: string
  /** other lists that a change alters */
  besides: string[]
  /** whether a listed item is the one that is being created, whose id nobody knows yet */
  same: (listed: T, created: T) => boolean
  /** whether a list so filtered shows the item */
  belongs: (item: T, filter: Filter) => boolean
  /** the order of the list; without it, what is new comes first */
  before?: (created: T, listed: T) => boolean
}

type List<T> = { items: T[]; total?: number }

/** A list as it will be if everything that is under way succeeds. */
export function applyChanges<T extends { id: string }>(
  list: List<T>,
  changes: Change<T>[],
  kind: Kind<T>,
  filter: Filter = {},
): List<T> {
  return changes.reduce((now, change) => {
    if (change.kind === 'delete') {
      const items = now.items.filter((item) => item.id !== change.id)
      return counted(now, items)
    }
    const created = change.item
    // The server may have it already while its answer is still on the way.
    const at = now.items.findIndex((item) => item.id === created.id || kind.same(item, created))
    if (at >= 0) return counted(now, now.items.with(at, created))
    if (!kind.belongs(created, filter)) return now
    const next = kind.before ? now.items.findIndex((item) => kind.before?.(created, item)) : 0
    return counted(now, now.items.toSpliced(next < 0 ? now.items.length : next, 0, created))
  }, list)
}

function counted<T>(before: List<T>, items: T[]): List<T> {
  return { items, total: before.total === undefined ? undefined : before.total + items.length - before.items.length }
}

/** The pages that have been fetched of a list, as one list. */
export function joinPages<T>(pages: Page<T>[] | undefined): List<T> {
  return { items: pages?.flatMap((page) => page.items) ?? [], total: pages?.[0]?.total ?? undefined }
}

/** What an item is called until the server has given it an id. */
export const temporaryID = () => `new:${crypto.randomUUID()}`
export const isTemporary = (id: string) => id.startsWith('new:')

/** Asks the server for a change; answers with what was created. */
export type Request<T extends { id: string }> = (change: Change<T>) => Promise<T | undefined>

const mutationKey = (kind: { path: string }) => ['change', kind.path]

/** A mutation whose change the lists of its kind show while it is under way, and keep when it has succeeded. */
export function changing<T extends { id: string }>(
  kind: Kind<T>,
  request: Request<T>,
): MutationOptions<T | undefined, Error, Change<T>> {
  return {
    mutationKey: mutationKey(kind),
    mutationFn: request,
    // Without a connection it is refused rather than done some time later.
    networkMode: 'always',
    // As long as what was refused can be taken up again.
    gcTime: 60 * 60 * 1000,
    onSuccess: (created, change, _, { client }) =>
      keep(client, kind, created ? { kind: 'create', item: created } : change),
  }
}

/**
 * Puts what the server has done into every list that is known, then asks for them
 * anew. An answer that is still on its way may be older than the change: it is not
 * waited for.
 */
async function keep<T extends { id: string }>(client: QueryClient, kind: Kind<T>, done: Change<T>) {
  await client.cancelQueries({ queryKey: [kind.path] })
  for (const [key, data] of client.getQueriesData<InfiniteData<Page<T>>>({ queryKey: [kind.path] })) {
    const [first, ...others] = data?.pages ?? []
    if (!data || !first) continue
    const now = applyChanges(joinPages(data.pages), [done], kind, filterOf(key))
    client.setQueryData(key, {
      ...data,
      pages: [
        { ...first, items: now.items, total: now.total ?? null },
        ...others.map((page) => ({ ...page, items: [] })),
      ],
    })
  }
  for (const path of [kind.path, ...kind.besides]) void client.invalidateQueries({ queryKey: [path] })
}

/** The filter in the key of a list's query; see pages(). */
const filterOf = (key: readonly unknown[]) => (key[1] as { query?: Filter } | undefined)?.query ?? {}

export function useChange<T extends { id: string }>(
  kind: Kind<T>,
  request: Request<T>,
  refused: (error: Error, change: Change<T>) => void,
) {
  return useMutation({ ...changing(kind, request), onError: refused })
}

export const underWay = <T extends { id: string }>(kind: { path: string }) => ({
  filters: { mutationKey: mutationKey(kind), status: 'pending' as const },
  select: (mutation: Mutation) => mutation.state.variables as Change<T>,
})

/** The changes of a kind of thing that are under way, oldest first. */
export function useChanges<T extends { id: string }>(kind: Kind<T>): Change<T>[] {
  return useMutationState(underWay<T>(kind))
}

export type Refusal<T extends { id: string }> = { number: number; item: T; error: Error }

/** What the server refused to create, oldest first, until it is let go. */
export function useRefused<T extends { id: string }>(kind: Kind<T>) {
  const mutations = useQueryClient().getMutationCache()
  const refused = useMutationState({
    filters: { mutationKey: mutationKey(kind), status: 'error' },
    select: ({ mutationId: number, state }) => {
      const change = state.variables as Change<T>
      return change.kind === 'create' ? { number, item: change.item, error: state.error as Error } : undefined
    },
  }).filter((refusal): refusal is Refusal<T> => refusal !== undefined)
  const letGo = ({ number }: Refusal<T>) => {
    const mutation = mutations.getAll().find(({ mutationId }) => mutationId === number)
    if (mutation) mutations.remove(mutation)
  }
  return { refused, letGo }
}
