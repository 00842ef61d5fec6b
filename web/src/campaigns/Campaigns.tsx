import { useInfiniteQuery } from '@tanstack/preact-query'
import { joinPages } from '../api/changes'
import { useLive } from '../api/live'
import { pages } from '../api/queries'
import { Live } from '../ui/Live'
import { Empty, Failure, GoTo, More, Skeleton, Title } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { CampaignTable } from './CampaignTable'
import { withLive } from './live'
import '../style/campaigns.css'

const texts = bilingual(
  {
    title: 'Campaigns',
    create: 'New campaign',
    none: 'No campaign yet',
    what: 'A campaign sends Message 1 to the contacts you choose. Whoever replies within 24 hours gets Message 2 in seconds; after 48 hours the campaign closes by itself and tells you what became of everybody.',
  },
  {
    title: 'Campagnes',
    create: 'Nouvelle campagne',
    none: 'Aucune campagne pour l’instant',
    what: 'Une campagne envoie le message 1 aux contacts que vous choisissez. Qui répond dans les 24 heures reçoit le message 2 en quelques secondes\u00a0; au bout de 48 heures, la campagne se clôt d’elle-même et vous dit ce qu’il en est de chacun.',
  },
)

/** Every campaign, newest first; those that run move while one looks on. */
export default function Campaigns() {
  const t = useWords(texts)
  const { data: live, liveness } = useLive('/events')
  const list = useInfiniteQuery({ ...pages('/campaigns'), refetchInterval: 4_000 })
  const { items } = joinPages(list.data?.pages)
  return (
    <>
      <Title
        aside={
          <>
            <Live liveness={liveness} />
            <GoTo to="/campaigns/new" icon="plus" main>
              {t.create}
            </GoTo>
          </>
        }
      >
        {t.title}
      </Title>
      <section class="card campaigns" aria-label={t.title}>
        {list.isPending ? (
          <Skeleton lines={8} height={52} />
        ) : list.isError && !list.data ? (
          <Failure error={list.error} again={list.refetch} />
        ) : items.length === 0 ? (
          <Empty
            title={t.none}
            action={
              <GoTo to="/campaigns/new" icon="plus">
                {t.create}
              </GoTo>
            }
          >
            {t.what}
          </Empty>
        ) : (
          <CampaignTable campaigns={withLive(items, liveness === 'live' ? live?.campaigns : undefined)} />
        )}
        <More list={list} />
      </section>
    </>
  )
}
