import '../style/contacts.css'
import { useQuery } from '@tanstack/preact-query'
import { useEffect } from 'preact/hooks'
import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { forget, one } from '../api/queries'
import { useCategories } from '../categories/useCategories'
import type { ScreenProps } from '../screens'
import { Icon } from '../ui/icons'
import { Meter } from '../ui/meters'
import { Failure, GoTo, Moment, Skeleton, Title } from '../ui/parts'
import { useAnswers } from '../words/answers'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { ImportState, importTexts } from './PastImports'

const texts = bilingual(
  {
    title: 'Import',
    back: 'Import contacts',
    running: (percent: string) => `${percent} of the file is in the contacts`,
    done: (text: string, n: number) => (n === 1 ? `${text} row has been read.` : `${text} rows have been read.`),
    failed: 'The import has failed: nothing of the file is in the contacts.',
    leave: 'It goes on by itself: you can leave this page.',
    started: 'Started',
    finished: 'Finished',
    category: 'Category',
    campaign: 'Create a campaign for them',
    see: 'See the contacts',
    again: 'Import another file',
    rejectedTitle: 'Rejected rows',
    rejectedHint: 'Mend them in this file and import it again: what is in already is not doubled.',
    first: (n: string) => `The first ${n} are shown.`,
    download: 'Download errors.csv',
    line: 'Line',
    reason: 'Reason',
  },
  {
    title: 'Import',
    back: 'Importer des contacts',
    running: (percent: string) => `${percent} du fichier est dans les contacts`,
    done: (text: string, n: number) => (n < 2 ? `${text} ligne a été lue.` : `${text} lignes ont été lues.`),
    failed: "L'import a échoué\u00a0; rien du fichier n'est dans les contacts.",
    leave: 'Il continue tout seul\u00a0: vous pouvez quitter cette page.',
    started: 'Début',
    finished: 'Fin',
    category: 'Catégorie',
    campaign: 'Créer une campagne pour eux',
    see: 'Voir les contacts',
    again: 'Importer un autre fichier',
    rejectedTitle: 'Lignes rejetées',
    rejectedHint:
      'Corrigez-les dans ce fichier et importez-le de nouveau\u00a0: ce qui est déjà là ne sera pas doublé.',
    first: (n: string) => `Les ${n} premières sont affichées.`,
    download: 'Télécharger errors.csv',
    line: 'Ligne',
    reason: 'Raison',
  },
)

type Job = Schemas['Import']

/** How an import goes on, and what came of it. */
export default function ImportProgress({ params: { id = '' } }: ScreenProps) {
  const t = useWords(texts)
  const { data, error, refetch } = useQuery({
    ...one('/imports/{id}', { params: { path: { id } } }),
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data && state.data.state !== 'running' ? false : 500),
  })
  const ended = data !== undefined && data.state !== 'running'
  useEffect(() => {
    if (ended) void forget('/contacts', '/categories', '/imports')
  }, [ended])
  return (
    <>
      <Title back={{ to: '/contacts/import', name: t.back }}>{t.title}</Title>
      {data ? (
        <>
          <Progress job={data} />
          {data.rejected > 0 && <Rejected job={data} />}
        </>
      ) : error ? (
        <Failure error={error} again={refetch} />
      ) : (
        <section class="card">
          <Skeleton lines={4} height={44} />
        </section>
      )}
    </>
  )
}

function Progress({ job }: { job: Job }) {
  const t = useWords(texts)
  const answer = useAnswers()
  const format = useFormat()
  const percent = format.percent(job.progress)
  const summary = {
    running: t.running(percent),
    done: t.done(format.number(job.rows), job.rows),
    failed: t.failed,
  }
  return (
    <section class="card" aria-label={t.title}>
      <div class="row">
        <ImportState state={job.state} />
        <p role="status">{summary[job.state]}</p>
      </div>
      <Meter
        share={job.state === 'done' ? 1 : job.progress}
        tone={job.state === 'failed' ? 'failed' : 'ok'}
        label={t.running(percent)}
      />
      {job.state === 'running' && <p class="muted">{t.leave}</p>}
      {job.error && (
        <p class="error" role="alert">
          {answer(job.error)}
        </p>
      )}
      <Counts job={job} />
      <Circumstances job={job} />
      {job.state !== 'running' && <Next job={job} />}
    </section>
  )
}

function Counts({ job }: { job: Job }) {
  const said = useWords(importTexts)
  const format = useFormat()
  const list = job.category_id ? `/contacts?category_id=${job.category_id}` : '/contacts'
  return (
    <div class="figures">
      {(['imported', 'updated', 'skipped'] as const).map((name) => (
        <Link key={name} class="figure" href={list}>
          <span class="value">{format.number(job[name])}</span>
          <span class="name">{said[name]}</span>
        </Link>
      ))}
      <a class="figure" href={job.rejected > 0 ? '#rejected' : undefined}>
        <span class="value">{format.number(job.rejected)}</span>
        <span class="name">{said.rejected}</span>
      </a>
    </div>
  )
}

function Circumstances({ job }: { job: Job }) {
  const t = useWords(texts)
  const { items } = useCategories()
  const category = items.find(({ id }) => id === job.category_id)
  return (
    <p class="row muted">
      <span>
        {t.started} <Moment at={job.created_at} />
      </span>
      {job.finished_at && (
        <span>
          {t.finished} <Moment at={job.finished_at} />
        </span>
      )}
      {category && (
        <span>
          {t.category} <Link href={`/contacts?category_id=${category.id}`}>{category.name}</Link>
        </span>
      )}
    </p>
  )
}

function Next({ job }: { job: Job }) {
  const t = useWords(texts)
  const query = job.category_id ? `?category_id=${job.category_id}` : ''
  return (
    <div class="actions">
      {job.state === 'done' && (
        <>
          <GoTo to={`/campaigns/new${query}`} icon="campaigns" main>
            {t.campaign}
          </GoTo>
          <GoTo to={`/contacts${query}`} icon="contacts">
            {t.see}
          </GoTo>
        </>
      )}
      <GoTo to="/contacts/import" icon="upload">
        {t.again}
      </GoTo>
    </div>
  )
}

const SHOWN = 100

function Rejected({ job }: { job: Job }) {
  const t = useWords(texts)
  const answer = useAnswers()
  const format = useFormat()
  const rows = job.errors.slice(0, SHOWN)
  return (
    <section class="card" id="rejected" aria-labelledby="rejected-title">
      <header>
        <h2 id="rejected-title">{t.rejectedTitle}</h2>
        <a class="button" href={`/imports/${job.id}/errors.csv`} download>
          <Icon name="download" />
          {t.download}
        </a>
      </header>
      <p class="muted">
        {t.rejectedHint} {job.rejected > rows.length && t.first(format.number(rows.length))}
      </p>
      <table class="list rejected">
        <caption class="unseen">{t.rejectedTitle}</caption>
        <thead>
          <tr>
            <th scope="col" class="right">
              {t.line}
            </th>
            <th scope="col">{t.reason}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ line, reason }) => (
            <tr key={line}>
              <td class="right" data-name={t.line}>
                {format.number(line)}
              </td>
              <td data-name={t.reason}>{answer(reason)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
