import { useMemo } from 'preact/hooks'
import { type Liveness, SILENCE } from '../api/live'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    connecting: 'Connecting…',
    live: 'Live',
    lost: (since: string) => `Not live, since ${since}; trying again`,
  },
  {
    connecting: 'Connexion…',
    live: 'En direct',
    lost: (since: string) => `Plus en direct depuis ${since}\u00a0; nouvel essai en cours`,
  },
)

const classes: Record<Liveness, string> = { connecting: 'live', live: 'live live-now', lost: 'live lost' }

/** Whether what is on the screen is fresh; when it is not, since when. */
export function Live({ liveness }: { liveness: Liveness }) {
  const t = useWords(texts)
  const format = useFormat()
  // It is called lost after some silence: the last word came before that.
  const since = useMemo(() => new Date(Date.now() - SILENCE), [liveness])
  return (
    <span class={classes[liveness]} role="status">
      {liveness === 'lost' ? t.lost(format.time(since)) : t[liveness]}
    </span>
  )
}
