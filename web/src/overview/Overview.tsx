import { useInfiniteQuery, useQuery } from '@tanstack/preact-query'
import { joinPages } from '../api/changes'
import type { Schemas } from '../api/client'
import { useLive } from '../api/live'
import { one, pages } from '../api/queries'
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
  return (
    <div class="stack overview">
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
      <Morning told={live} />
    </div>
  )
}

type LiveCampaign = Schemas['LiveCampaign']
type Listed = Omit<Schemas['Campaign'], 'stats'> & { stats: Schemas['Stats'] }

const hasNumbers = (campaign: Schemas['Campaign']): campaign is Listed => campaign.stats !== undefined

/** All of it at once: what came later would push the rest around. */
function Morning({ told }: { told: (Pick<Schemas['Overview'], 'stats'> & { campaigns: LiveCampaign[] }) | undefined }) {
  const t = useWords(texts)
  const monitoring = useQuery({ ...one('/monitoring'), refetchInterval: 4_000 })
  const imports = useQuery({ ...one('/imports', { params: { query: { limit: 20 } } }), refetchInterval: 15_000 })
  const campaigns = useInfiniteQuery({ ...pages('/campaigns'), refetchInterval: 4_000 })
  const stats = useQuery({ ...one('/messages/stats'), enabled: !told })
  // Until the stream has told something, the lists say the same.
  const listed = joinPages(campaigns.data?.pages).items
  const live = told ?? (stats.data && campaigns.data && { stats: stats.data, campaigns: listed.filter(hasNumbers) })
  if (!live || monitoring.isPending || imports.isPending || campaigns.isPending)
    return <Skeleton lines={3} height={200} />

  const waiting = live.campaigns.filter((c) => c.status !== 'completed' && c.status !== 'cancelled')
  const unused = live.stats.total_contacts === 0 && live.campaigns.length === 0
  return (
    <div class="stack overview" data-ready>
      {monitoring.data && <ConcernList concerns={concerns(monitoring.data, live.campaigns, imports.data?.items)} />}
      {unused && <FirstSteps />}
      <div class="morning">
        <section class="card" aria-labelledby="quota">
          <header>
            <h2 id="quota">{t.quota}</h2>
          </header>
          {monitoring.data ? (
            <QuotaGauge quota={monitoring.data.quota} />
          ) : (
            <Failure error={monitoring.error} again={monitoring.refetch} />
          )}
        </section>
        <section class="card" aria-labelledby="under-way">
          <header>
            <h2 id="under-way">{t.running}</h2>
          </header>
          <RunningCampaigns campaigns={waiting} />
        </section>
      </div>
      {campaigns.data ? (
        <LastResults campaigns={joinPages(campaigns.data.pages).items} />
      ) : (
        <Failure error={campaigns.error} again={campaigns.refetch} />
      )}
      <section class="card" aria-labelledby="totals">
        <header>
          <h2 id="totals">{t.totals}</h2>
        </header>
        <Totals stats={live.stats} />
      </section>
    </div>
  )
}
