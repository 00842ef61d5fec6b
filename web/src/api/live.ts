import { useQuery } from '@tanstack/preact-query'
import { useEffect, useState } from 'preact/hooks'
import type { Schemas } from './client'
import { one, queryClient } from './queries'

/** Whether what is shown is at most 5 s old (Property 15). */
export type Liveness = 'connecting' | 'live' | 'lost'

/** The server says something every 5 s at the latest; then a little for the way. */
export const SILENCE = 8_000

type Streams = { '/events': Schemas['Overview']; [campaign: `/campaigns/${string}/events`]: Schemas['LiveCampaign'] }

/**
 * What a stream of the API last told, kept fresh while the page can be seen. A
 * hidden page lets go of its stream: browsers allow a site only a few connections.
 */
export function useLive<P extends keyof Streams>(path: P): { data: Streams[P] | undefined; liveness: Liveness } {
  const [liveness, setLiveness] = useState<Liveness>('connecting')
  const { data } = useQuery<Streams[P]>({
    queryKey: ['live', path],
    enabled: false,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => Promise.reject(),
  })

  useEffect(() => {
    setLiveness('connecting')
    let heard = Date.now()
    let source: EventSource | undefined
    const said = () => {
      heard = Date.now()
      setLiveness('live')
    }
    const told = (event: MessageEvent<string>) => {
      queryClient.setQueryData(['live', path], JSON.parse(event.data))
      said()
    }
    const open = () => {
      source = new EventSource(path)
      source.addEventListener('overview', told)
      source.addEventListener('campaign', told)
      source.addEventListener('heartbeat', said)
      source.onerror = () => {
        // Refused for good, most likely because the session is over: asking tells.
        if (source?.readyState === EventSource.CLOSED)
          void queryClient.fetchQuery({ ...one('/auth/me'), staleTime: 0 }).catch(() => {})
      }
    }
    const close = () => {
      source?.close()
      source = undefined
    }
    const seen = () => {
      if (document.hidden) close()
      else if (!source) open()
    }
    const watch = setInterval(() => {
      if (document.hidden || Date.now() - heard < SILENCE) return
      setLiveness('lost')
      // A browser may take minutes to notice a dead connection, or have given up.
      if (Date.now() - heard > 2 * SILENCE || source?.readyState === EventSource.CLOSED) {
        close()
        open()
        heard = Date.now() - SILENCE
      }
    }, 1_000)
    seen()
    document.addEventListener('visibilitychange', seen)
    return () => {
      clearInterval(watch)
      document.removeEventListener('visibilitychange', seen)
      close()
    }
  }, [path])

  return { data, liveness }
}
