import { keepPreviousData, useQuery } from '@tanstack/preact-query'
import { ask } from '../api/client'
import { askedOf, hasAudience, type Plan } from './plan'
import { useSettled } from './useSettled'

/**
 * How the plan would run, asked a moment after its last change and then every few
 * seconds: contacts opt out and the quota moves meanwhile. The forecast of before
 * stays until the new one is there.
 */
export function useForecast(plan: Plan) {
  const asked = useSettled(JSON.stringify(askedOf(plan)))
  return useQuery({
    queryKey: ['/campaigns/forecast', asked],
    enabled: hasAudience(JSON.parse(asked)),
    staleTime: 0,
    refetchInterval: 4_000,
    placeholderData: hasAudience(plan) ? keepPreviousData : undefined,
    queryFn: ({ signal }) => ask('post', '/campaigns/forecast', { body: JSON.parse(asked), signal }),
  })
}
