import { useInfiniteQuery, useQuery } from '@tanstack/preact-query'
import { joinPages } from '../api/changes'
import { one, pages } from '../api/queries'
import { Failure, Skeleton, Title } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { ConcernList } from './ConcernList'
import { concerns } from './concerns'
import { Days } from './Days'
import { LastErrors } from './LastErrors'
import { QuotaGauge } from './QuotaGauge'
import { Vitals } from './Vitals'
import '../style/monitoring.css'

const texts = bilingual(
  {
    title: 'Monitoring',
    quota: 'Quota',
    parts: 'What Relance runs on',
    days: 'Last seven days',
    errors: 'Last errors',
    well: 'All is well. Nothing needs a person.',
  },
  {
    title: 'Surveillance',
    quota: 'Quota',
    parts: 'Ce sur quoi tourne Relance',
    days: 'Sept derniers jours',
    errors: 'Dernières erreurs',
    well: 'Tout va bien. Rien à regarder.',
  },
)

/** How the device, the servers and the quota are, and what went wrong. */
export default function Monitoring() {
  const t = useWords(texts)
  const { data, error, refetch } = useQuery({ ...one('/monitoring'), refetchInterval: 4_000 })
  const imports = useQuery({ ...one('/imports', { params: { query: { limit: 20 } } }), refetchInterval: 15_000 })
  const campaigns = joinPages(useInfiniteQuery({ ...pages('/campaigns'), refetchInterval: 15_000 }).data?.pages).items
  const worries = data && concerns(data, campaigns, imports.data?.items)
  return (
    <div class="stack monitoring" data-ready={data ? true : undefined}>
      <Title>{t.title}</Title>
      {error && !data && <Failure error={error} again={refetch} />}
      {worries && <ConcernList concerns={worries} />}
      {worries?.length === 0 && <p class="notice">{t.well}</p>}
      <div class="standing">
        <section class="card" aria-labelledby="quota">
          <h2 id="quota">{t.quota}</h2>
          {data ? <QuotaGauge quota={data.quota} /> : <Skeleton lines={1} height={320} />}
        </section>
        <section class="card" aria-labelledby="parts">
          <h2 id="parts">{t.parts}</h2>
          {data ? <Vitals monitoring={data} /> : <Skeleton lines={5} height={40} />}
        </section>
      </div>
      <section class="card" aria-labelledby="days">
        <h2 id="days">{t.days}</h2>
        {data ? <Days days={data.days} /> : <Skeleton lines={1} height={260} />}
      </section>
      <section class="card" aria-labelledby="errors">
        <h2 id="errors">{t.errors}</h2>
        {data ? <LastErrors errors={data.errors} /> : <Skeleton lines={2} height={40} />}
      </section>
    </div>
  )
}
