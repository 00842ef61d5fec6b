import { useQuery } from '@tanstack/preact-query'
import { useLive } from '../api/live'
import { one } from '../api/queries'
import { ConcernList } from '../monitoring/ConcernList'
import { concerns } from '../monitoring/concerns'
import { QuotaGauge } from '../monitoring/QuotaGauge'
import { Live } from '../ui/Live'
import { Failure, GoTo, Skeleton, Title } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { FirstSteps } from './FirstSteps'
import { LastResults } from './LastResults'
import { RunningCampaigns } from './RunningCampaigns'
import { Totals } from './Totals'
import '../style/overview.css'

const texts = bilingual(
  { title: 'Overview', launch: 'New campaign', quota: 'Quota', running: 'Under way', totals: 'All campaigns together' },
  { title: 'Aperçu', launch: 'Nouvelle campagne', quota: 'Quota', running: 'En cours', totals: 'Toutes les campagnes' },
)

/** What an admin wants to know in the morning, in five seconds. */
export default function Overview() {
  const t = useWords(texts)
  const { data: live, liveness } = useLive('/events')
  const monitoring = useQuery({ ...one('/monitoring'), refetchInterval: 4_000 })
  const imports = useQuery({ ...one('/imports', { params: { query: { limit: 20 } } }), refetchInterval: 15_000 })

  const waiting = live?.campaigns.filter((c) => c.status !== 'completed' && c.status !== 'cancelled')
  const unused = live && live.stats.total_contacts === 0 && live.campaigns.length === 0
  const worries = monitoring.data && concerns(monitoring.data, live?.campaigns, imports.data?.items)

  return (
    <div class="stack overview" data-ready={live && monitoring.data ? true : undefined}>
      <Title
        aside={
          <>
            <Live liveness={liveness} />
            <GoTo to="/campaigns/new" icon="plus" main>
              {t.launch}
            </GoTo>
          </>
        }
      >
        {t.title}
      </Title>
      {worries && <ConcernList concerns={worries} />}
      {unused && <FirstSteps />}
      <div class="morning">
        <section class="card" aria-labelledby="quota">
          <header>
            <h2 id="quota">{t.quota}</h2>
          </header>
          {monitoring.data ? (
            <QuotaGauge quota={monitoring.data.quota} />
          ) : monitoring.error ? (
            <Failure error={monitoring.error} again={monitoring.refetch} />
          ) : (
            <Skeleton lines={1} height={212} />
          )}
        </section>
        <section class="card" aria-labelledby="under-way">
          <header>
            <h2 id="under-way">{t.running}</h2>
          </header>
          {waiting ? <RunningCampaigns campaigns={waiting} /> : <Skeleton lines={3} height={60} />}
        </section>
      </div>
      <LastResults />
      <section class="card" aria-labelledby="totals">
        <header>
          <h2 id="totals">{t.totals}</h2>
        </header>
        {live ? <Totals stats={live.stats} /> : <Skeleton lines={1} height={52} />}
      </section>
    </div>
  )
}
