import { keepPreviousData, useInfiniteQuery } from '@tanstack/preact-query'
import { useEffect } from 'preact/hooks'
import { useSearchParams } from 'wouter-preact'
import { joinPages } from '../api/changes'
import type { Schemas } from '../api/client'
import { pages } from '../api/queries'
import { Icon } from '../ui/icons'
import { states } from '../ui/meters'
import { Empty, Failure, More, Skeleton } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import type { RecipientState } from '../words/terms'
import { type Reached, reachedSteps } from './links'
import { RecipientFilters } from './RecipientFilters'
import { RecipientTable } from './RecipientTable'

const texts = bilingual(
  {
    title: 'Recipients',
    shown: (n: string) => `(${n})`,
    none: 'Nobody',
    noneFound: 'No recipient matches. Another search or filter may find more.',
    noneYet: 'The audience is being gathered.',
    recipients: 'Recipients (CSV)',
    results: 'Results (CSV)',
  },
  {
    title: 'Destinataires',
    shown: (n: string) => `(${n})`,
    none: 'Personne',
    noneFound: 'Aucun destinataire ne correspond. Une autre recherche ou un autre filtre en trouvera peut-être.',
    noneYet: 'Les destinataires sont en cours de rassemblement.',
    recipients: 'Destinataires (CSV)',
    results: 'Résultats (CSV)',
  },
)

const HEADING = 'recipients'

/** Brings the list of recipients into view, for the eyes and for screen readers. */
export function showRecipients() {
  const heading = document.getElementById(HEADING)
  heading?.scrollIntoView()
  heading?.focus({ preventScroll: true })
}

/** Everybody in a campaign's audience, or those that the address asks for. */
export function Recipients(props: { id: string; stats: Schemas['Stats']; moving: boolean }) {
  const t = useWords(texts)
  const format = useFormat()
  const { id, stats } = props
  const [query] = useSearchParams()
  const state = known(query.get('state'), states)
  const reached = known(query.get('reached'), reachedSteps)
  const q = query.get('q') ?? undefined
  const filtered = state ?? reached ?? q
  useEffect(() => {
    // Whoever comes from another screen for some of them has not asked for the top.
    if (filtered) requestAnimationFrame(showRecipients)
  }, [])
  const list = useInfiniteQuery({
    ...pages('/campaigns/{id}/recipients', { params: { path: { id }, query: { state, reached, q } } }),
    placeholderData: keepPreviousData,
    refetchInterval: props.moving ? 4_000 : false,
  })
  const { items } = joinPages(list.data?.pages)
  const count = q ? undefined : state ? (stats.states[state] ?? 0) : counted(stats, reached)
  return (
    <section class="card recipients" aria-labelledby={HEADING}>
      <header>
        <h2 id={HEADING} tabIndex={-1}>
          {t.title} {count !== undefined && <span class="muted number">{t.shown(format.number(count))}</span>}
        </h2>
        <p class="row exports">
          <a href={`/campaigns/${id}/recipients.csv${state ? `?state=${state}` : ''}`} download>
            <Icon name="download" />
            {t.recipients}
          </a>
          <a href={`/campaigns/${id}/results.csv`} download>
            <Icon name="download" />
            {t.results}
          </a>
        </p>
      </header>
      <RecipientFilters state={state} reached={reached} q={q} />
      {list.isPending ? (
        <Skeleton lines={10} height={44} />
      ) : list.isError && !list.data ? (
        <Failure error={list.error} again={list.refetch} />
      ) : items.length === 0 ? (
        <Empty title={t.none}>{filtered ? t.noneFound : t.noneYet}</Empty>
      ) : (
        <RecipientTable recipients={items} busy={list.isPlaceholderData} />
      )}
      <More list={list} />
    </section>
  )
}

const known = <T extends string>(value: string | null, all: readonly T[]): T | undefined =>
  all.find((one) => one === value)

/** How many came so far; everybody when it is not asked how far. */
function counted(stats: Schemas['Stats'], reached: Reached | undefined): number {
  const { message_1, message_2 } = stats.by_type
  switch (reached) {
    case undefined:
      return stats.total_contacts
    case 'replied':
      return stats.replied
    case 'answered':
      return message_2.sent
    default:
      return message_1[reached]
  }
}

export type Filters = { state?: RecipientState; reached?: Reached; q?: string }
