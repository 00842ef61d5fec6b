import { type MutationFunction, useMutation, useMutationState } from '@tanstack/preact-query'
import type { Page } from './queries'

/**
 * A change that was asked for and not yet answered. Lists show it at once
 * (Property 3); when the server refuses it, it is no longer under way and the
 * lists are what they were, whatever else was changed meanwhile.
 */
export type Change<T extends { id: string }> = { kind: 'create'; item: T } | { kind: 'delete'; id: string }

/** A list as it will be if everything that is under way succeeds. */
export function applyChanges<T extends { id: string }>(
  list: { items: T[]; total?: number },
  changes: Change<T>[],
): { items: T[]; total?: number } {
  return changes.reduce((now, change) => {
    if (change.kind === 'create') {
      if (now.items.some((item) => item.id === change.item.id)) return now
      return { items: [change.item, ...now.items], total: now.total === undefined ? undefined : now.total + 1 }
    }
    const items = now.items.filter((item) => item.id !== change.id)
    if (items.length === now.items.length) return now
    return { items, total: now.total === undefined ? undefined : now.total - 1 }
  }, list)
}

/** The pages that have been fetched of a list, as one list. */
export function joinPages<T>(pages: Page<T>[] | undefined): { items: T[]; total?: number } {
  return { items: pages?.flatMap((page) => page.items) ?? [], total: pages?.[0]?.total ?? undefined }
}

/** What an item is called until the server has given it an id. */
export const temporaryID = () => `new:${crypto.randomUUID()}`
export const isTemporary = (id: string) => id.startsWith('new:')

/**
 * A mutation whose change the lists named by `of` show while it is under way. It
 * stays under way until `settle` has brought the new list, so that nothing flickers.
 */
export function changing<T extends { id: string }>(
  of: string,
  request: MutationFunction<unknown, Change<T>>,
  settle: () => Promise<unknown>,
) {
  return { mutationKey: ['change', of], mutationFn: request, onSuccess: () => settle() }
}

export function useChange<T extends { id: string }>(
  of: string,
  request: MutationFunction<unknown, Change<T>>,
  settle: () => Promise<unknown>,
  refused: (error: Error, change: Change<T>) => void,
) {
  return useMutation({ ...changing(of, request, settle), onError: refused })
}

/** The changes of a list that are under way, oldest first. */
export function useChanges<T extends { id: string }>(of: string): Change<T>[] {
  return useMutationState({
    filters: { mutationKey: ['change', of], status: 'pending' },
    select: (mutation) => mutation.state.variables as Change<T>,
  })
}
