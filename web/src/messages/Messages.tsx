import { useInfiniteQuery } from '@tanstack/preact-query'
import { useSearchParams } from 'wouter-preact'
import { joinPages } from '../api/changes'
import { pages } from '../api/queries'
import { Empty, Failure, GoTo, More, Skeleton, Title } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import type { MessageStatus, MessageType } from '../words/terms'
import { MessageFilters, type Reached } from './MessageFilters'
import { MessageTable } from './MessageTable'

const texts = bilingual(
  {
    title: 'Messages',
    none: 'No message has been sent yet',
    noneMore: 'As soon as a campaign starts, each of its messages is listed here with how far it came.',
    launch: 'Prepare a campaign',
    noMatch: 'No message fits these filters',
    noMatchMore: 'Take one away to see more.',
  },
  {
    title: 'Messages',
    none: 'Aucun message pour l’instant',
    noneMore: 'Dès qu’une campagne démarre, chacun de ses messages apparaît ici avec son avancement.',
    launch: 'Préparer une campagne',
    noMatch: 'Aucun message ne correspond à ces filtres',
    noMatchMore: 'Retirez-en un pour en voir davantage.',
  },
)

/** Every message of every campaign, and how far each came. */
export default function Messages() {
  const t = useWords(texts)
  const [search] = useSearchParams()
  const filter = {
    campaign_id: search.get('campaign_id') || undefined,
    status: (search.get('status') as MessageStatus | null) || undefined,
    type: (search.get('type') as MessageType | null) || undefined,
    reached: (search.get('reached') as Reached | null) || undefined,
  }
  const list = useInfiniteQuery({ ...pages('/messages', { params: { query: filter } }), refetchInterval: 4_000 })
  const { items } = joinPages(list.data?.pages)
  return (
    <div class="stack" data-ready={list.data ? true : undefined}>
      <Title>{t.title}</Title>
      <MessageFilters filter={filter} />
      <section class="card" aria-label={t.title}>
        {list.isPending ? (
          <Skeleton lines={8} height={38} />
        ) : list.error && !list.data ? (
          <Failure error={list.error} again={list.refetch} />
        ) : items.length > 0 ? (
          <MessageTable messages={items} />
        ) : filter.campaign_id || filter.status || filter.type || filter.reached ? (
          <Empty title={t.noMatch}>{t.noMatchMore}</Empty>
        ) : (
          <Empty title={t.none} action={<GoTo to="/campaigns/new">{t.launch}</GoTo>}>
            {t.noneMore}
          </Empty>
        )}
        <More list={list} />
      </section>
    </div>
  )
}
