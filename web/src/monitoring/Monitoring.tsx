import { useInfiniteQuery, useQuery } from '@tanstack/preact-query'
import { joinPages } from '../api/changes'
import type { Schemas } from '../api/client'
import { one, pages } from '../api/queries'
import { Failure, Skeleton, Title } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { ConcernList } from './ConcernList'
import { type Concern, concerns } from './concerns'
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
  const monitoring = useQuery({ ...one('/monitoring'), refetchInterval: 4_000 })
  const imports = useQuery({ ...one('/imports', { params: { query: { limit: 20 } } }), refetchInterval: 15_000 })
  const campaigns = useInfiniteQuery({ ...pages('/campaigns'), refetchInterval: 15_000 })
  // All at once: a concern that came later would push the rest around.
  const waits = monitoring.isPending || imports.isPending || campaigns.isPending
  return (
    <div class="stack monitoring">
      <Title>{t.title}</Title>
      {waits ? (
        <Skeleton lines={3} height={200} />
      ) : monitoring.data ? (
        <Situation
          monitoring={monitoring.data}
          worries={concerns(monitoring.data, joinPages(campaigns.data?.pages).items, imports.data?.items)}
        />
      ) : (
        <Failure error={monitoring.error} again={monitoring.refetch} />
      )}
    </div>
  )
}

function Situation({ monitoring, worries }: { monitoring: Schemas['Monitoring']; worries: Concern[] }) {
  const t = useWords(texts)
  return (
    <div class="stack monitoring" data-ready>
      {worries.length > 0 ? <ConcernList concerns={worries} /> : <p class="notice">{t.well}</p>}
      <div class="standing">
        <section class="card" aria-labelledby="quota">
          <h2 id="quota">{t.quota}</h2>
          <QuotaGauge quota={monitoring.quota} />
        </section>
        <section class="card" aria-labelledby="parts">
          <h2 id="parts">{t.parts}</h2>
          <Vitals monitoring={monitoring} />
        </section>
      </div>
      <section class="card" aria-labelledby="days">
        <h2 id="days">{t.days}</h2>
        <Days days={monitoring.days} />
      </section>
      <section class="card" aria-labelledby="errors">
        <h2 id="errors">{t.errors}</h2>
        <LastErrors errors={monitoring.errors} />
      </section>
    </div>
  )
}
