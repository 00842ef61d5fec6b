import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/preact-query'
import type { MaybeOptionalInit } from 'openapi-fetch'
import type { PathsWithMethod } from 'openapi-typescript-helpers'
import { type Answer, ask, Problem } from './client'
import type { paths } from './schema'

/** The seed's settings, but that a refusal is not asked for again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2 * 60 * 1000,
      gcTime: 10 * 60 * 1000,
      refetchOnWindowFocus: false,
      retry: (failures, error) =>
        failures < 2 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
    },
  },
})

type Get = PathsWithMethod<paths, 'get'>
type Init<P extends Get> = MaybeOptionalInit<paths[P], 'get'>

/** One answer of the API: useQuery(one('/campaigns/{id}', { params: { path: { id } } })). */
export function one<P extends Get>(path: P, init?: Init<P>) {
  return queryOptions({
    queryKey: [path, init?.params ?? {}] as const,
    queryFn: ({ signal }) => (ask as Loose)('get', path, { ...init, signal }) as Promise<Answer<'get', P>>,
  })
}

export type Page<T> = { items: T[]; next_cursor: string | null; total?: number | null }
type ItemOf<P extends Get> = Answer<'get', P> extends { items: (infer T)[] } ? T : never

/** A list of the API, page by page: useInfiniteQuery(pages('/contacts', { params: { query: { q } } })). */
export function pages<P extends Get>(path: P, init?: Init<P>) {
  const params = (init?.params ?? {}) as { query?: object }
  return infiniteQueryOptions({
    queryKey: [path, params] as const,
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) => {
      const query = { ...params.query, ...(pageParam ? { cursor: pageParam } : {}) }
      return (ask as Loose)('get', path, { ...init, params: { ...params, query }, signal }) as Promise<Page<ItemOf<P>>>
    },
    getNextPageParam: (page) => page.next_cursor || undefined,
  })
}

/** Drops what is known of these paths, so that what is on the screen is asked for anew. */
export const forget = (...these: Get[]) =>
  Promise.all(these.map((path) => queryClient.invalidateQueries({ queryKey: [path] })))

type Loose = (method: string, path: string, init: object) => Promise<unknown>
