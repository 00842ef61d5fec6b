import { useInfiniteQuery } from '@tanstack/preact-query'
import { useEffect } from 'preact/hooks'
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
  return { list, ...applyChanges(joinPages(list.data?.pages), changes, categories) }
}
