import { useInfiniteQuery } from '@tanstack/preact-query'
import { useEffect, useMemo } from 'preact/hooks'
import { applyChanges, joinPages, useChanges } from '../api/changes'
import { pages } from '../api/queries'
import { categories } from './kind'

/** Every category there is, with what is under way. */
export function useCategories() {
  const list = useInfiniteQuery(pages('/categories', { params: { query: { limit: 200 } } }))
  const changes = useChanges(categories)
  const { hasNextPage, isFetching, isError, fetchNextPage } = list
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage()
  }, [hasNextPage, isFetching, isError, fetchNextPage])
  const pagesOfIt = list.data?.pages
  const shown = useMemo(() => applyChanges(joinPages(pagesOfIt), changes, categories), [pagesOfIt, changes])
  return { list, ...shown }
}
