import { useInfiniteQuery } from '@tanstack/preact-query'
import { Link } from 'wouter-preact'
import { joinPages } from '../api/changes'
import type { Schemas } from '../api/client'
import { pages } from '../api/queries'
import { useCategories } from '../categories/useCategories'
import { Failure, Moment, More, Skeleton } from '../ui/parts'
import { useAnswers } from '../words/answers'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'

export const importTexts = bilingual(
  {
    state: { running: 'Running', done: 'Done', failed: 'Failed' },
    imported: 'New',
    updated: 'Updated',
    skipped: 'Left as they were',
    rejected: 'Rejected',
  },
  {
    state: { running: 'En cours', done: 'Terminé', failed: 'Échec' },
    imported: 'Nouveaux',
    updated: 'Mis à jour',
    skipped: 'Laissés tels quels',
    rejected: 'Rejetés',
  },
)

const texts = bilingual(
  {
    title: 'Past imports',
    none: 'Imports will be listed here.',
    when: 'When',
    state: 'State',
    category: 'Category',
    rows: 'Rows',
  },
  {
    title: 'Imports passés',
    none: 'Les imports apparaîtront ici.',
    when: 'Quand',
    state: 'État',
    category: 'Catégorie',
    rows: 'Lignes',
  },
)

export function PastImports() {
  const t = useWords(texts)
  const said = useWords(importTexts)
  const list = useInfiniteQuery({
    ...pages('/imports', { params: { query: { limit: 10 } } }),
    staleTime: 0,
    refetchInterval: ({ state }) => (joinPages(state.data?.pages).items.some(isRunning) ? 2_000 : false),
  })
  const { items } = joinPages(list.data?.pages)
  return (
    <section class="card" aria-labelledby="past">
      <h2 id="past">{t.title}</h2>
      {list.isPending ? (
        <Skeleton lines={3} height={40} />
      ) : list.error && !list.data ? (
        <Failure error={list.error} again={list.refetch} />
      ) : items.length === 0 ? (
        <p class="muted">{t.none}</p>
      ) : (
        <>
          <table class="list">
            <caption class="unseen">{t.title}</caption>
            <thead>
              <tr>
                <th scope="col">{t.when}</th>
                <th scope="col">{t.state}</th>
                <th scope="col">{t.category}</th>
                {[t.rows, said.imported, said.updated, said.skipped, said.rejected].map((name) => (
                  <th key={name} scope="col" class="right">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {items.map((job) => (
                <Row key={job.id} job={job} />
              ))}
            </tbody>
          </table>
          <More list={list} />
        </>
      )}
    </section>
  )
}

const isRunning = (job: Schemas['Import']) => job.state === 'running'

function Row({ job }: { job: Schemas['Import'] }) {
  const t = useWords(texts)
  const said = useWords(importTexts)
  const answer = useAnswers()
  const format = useFormat()
  const { items: categories } = useCategories()
  const category = categories.find(({ id }) => id === job.category_id)
  const numbers = [
    [t.rows, job.rows],
    [said.imported, job.imported],
    [said.updated, job.updated],
    [said.skipped, job.skipped],
    [said.rejected, job.rejected],
  ] as const
  return (
    <tr>
      <td data-name={t.when}>
        <Link href={`/contacts/imports/${job.id}`}>
          <Moment at={job.created_at} />
        </Link>
      </td>
      <td data-name={t.state}>
        <span class="stack">
          <ImportState state={job.state} />
          {job.error && <span class="error">{answer(job.error)}</span>}
        </span>
      </td>
      <td class="long" data-name={t.category}>
        {category && <Link href={`/contacts?category_id=${category.id}`}>{category.name}</Link>}
      </td>
      {numbers.map(([name, n]) => (
        <td key={name} class="right" data-name={name}>
          <Link href={`/contacts/imports/${job.id}`}>{format.number(n)}</Link>
        </td>
      ))}
    </tr>
  )
}

export function ImportState({ state }: { state: Schemas['Import']['state'] }) {
  const said = useWords(importTexts)
  const tones = { running: 'running', done: 'good', failed: 'bad' }
  return (
    <span>
      <span class={`badge ${tones[state]}`}>{said.state[state]}</span>
    </span>
  )
}
