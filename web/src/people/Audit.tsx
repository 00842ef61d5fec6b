import { useInfiniteQuery } from '@tanstack/preact-query'
import { useSearchParams } from 'wouter-preact'
import { joinPages } from '../api/changes'
import type { Schemas } from '../api/client'
import { pages } from '../api/queries'
import { Empty, Failure, More, Skeleton } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { AuditFilters } from './AuditFilters'
import { AuditTable } from './AuditTable'

const texts = bilingual(
  {
    title: 'What was done',
    what: 'Every change and every login: by whom, and when.',
    none: 'Nothing fits these filters',
    noneMore: 'Take one away to see more.',
  },
  {
    title: 'Journal',
    what: 'Chaque modification et chaque connexion\u00a0: par qui, et quand.',
    none: 'Rien ne correspond à ces filtres',
    noneMore: 'Retirez-en un pour en voir davantage.',
  },
)

/** The audit log, the newest first. */
export function Audit({ me }: { me: Schemas['User'] }) {
  const t = useWords(texts)
  const [search] = useSearchParams()
  const filter = { user_id: search.get('user') || undefined, action: search.get('action') || undefined }
  const list = useInfiniteQuery({ ...pages('/audit', { params: { query: filter } }), staleTime: 5_000 })
  const { items } = joinPages(list.data?.pages)
  const users = joinPages(
    useInfiniteQuery({
      ...pages('/users', { params: { query: { limit: 200 } } }),
      enabled: me.role === 'super_admin',
    }).data?.pages,
  ).items
  // Who may not list the users can still choose among those that are to be seen.
  const emails = new Map([[me.id, me.email]])
  for (const entry of items) if (entry.user_id && entry.user_email) emails.set(entry.user_id, entry.user_email)
  for (const user of users) emails.set(user.id, user.email)
  return (
    <section class="card" id="audit" aria-label={t.title}>
      <header>
        <h2>{t.title}</h2>
      </header>
      <p class="muted">{t.what}</p>
      <AuditFilters filter={filter} emails={emails} />
      {list.isPending ? (
        <Skeleton lines={8} height={30} />
      ) : list.error && !list.data ? (
        <Failure error={list.error} again={list.refetch} />
      ) : items.length > 0 ? (
        <AuditTable entries={items} emails={emails} />
      ) : (
        <Empty title={t.none}>{t.noneMore}</Empty>
      )}
      <More list={list} />
    </section>
  )
}
