import { useInfiniteQuery, useQuery } from '@tanstack/preact-query'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation, useSearchParams } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { one } from '../api/queries'
import type { ScreenProps } from '../screens'
import { Empty, Failure, GoTo, Skeleton, StatusBadge, Title } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { allCategories } from './Audience'
import { Editor, type Start } from './Editor'
import { blank, planOf } from './plan'
import { storedAs } from './store'
import { forgetUnsaved, keepUnsaved, unsaved } from './unsaved'
import '../style/launch.css'

const texts = bilingual(
  {
    title: 'New campaign',
    edit: 'Edit campaign',
    campaigns: 'Campaigns',
    begun: 'This campaign cannot be edited any more',
    why: 'It has begun: what has been sent stays as it was sent. It can be paused or cancelled on its page.',
    look: 'To the campaign',
    back: 'What you wrote before and did not save is back.',
    discard: 'Discard it',
  },
  {
    title: 'Nouvelle campagne',
    edit: 'Modifier la campagne',
    campaigns: 'Campagnes',
    begun: 'Cette campagne ne peut plus être modifiée',
    why: 'Elle a commencé\u00a0: ce qui est parti reste tel quel. Elle peut être mise en pause ou annulée sur sa page.',
    look: 'Vers la campagne',
    back: "Ce que vous aviez écrit sans l'enregistrer est de retour.",
    discard: 'Le jeter',
  },
)

export default function NewCampaign({ params }: ScreenProps) {
  return params.id ? <EditCampaign id={params.id} /> : <FreshCampaign />
}

function FreshCampaign() {
  const t = useWords(texts)
  const [path, go] = useLocation()
  const [search] = useSearchParams()
  const [start, setStart] = useState<Start>(() => freshStart(search))
  // The choice that the address brought is the form's from now on.
  useEffect(() => {
    if (!search.size) return
    keepUnsaved(undefined, start)
    go(path, { replace: true })
  }, [])
  return (
    <>
      <Title back={{ to: '/campaigns', name: t.campaigns }}>{t.title}</Title>
      <Resumable campaignID={undefined} start={start} fresh={() => setStart({ plan: blank, unsaved: false })} />
    </>
  )
}

/** What was left unsaved, with the audience that the address names if it names one. */
function freshStart(search: URLSearchParams): Start {
  const kept = unsaved(undefined)
  const category_ids = search.getAll('category_id').filter(Boolean)
  const contact_ids = search.getAll('contact_id').filter(Boolean)
  const chosen = category_ids.length + contact_ids.length > 0 ? { category_ids, contact_ids } : {}
  if (!kept) return { plan: { ...blank, ...chosen }, unsaved: false }
  return { ...kept, plan: { ...kept.plan, ...chosen }, unsaved: true }
}

function EditCampaign({ id }: { id: string }) {
  const t = useWords(texts)
  const campaign = useQuery({ ...one('/campaigns/{id}', { params: { path: { id } } }), staleTime: 2_000 })
  const { data } = campaign
  // What was fetched first stays the form's ground, whatever is fetched later.
  const ground = useRef<Schemas['Campaign'] | undefined>(undefined)
  if (data && !campaign.isFetching) ground.current ??= data
  return (
    <>
      <Title
        back={{ to: '/campaigns', name: t.campaigns }}
        aside={data && data.status !== 'draft' ? <StatusBadge status={data.status} /> : undefined}
      >
        {t.edit}
      </Title>
      {ground.current ? (
        <Loaded campaign={ground.current} />
      ) : campaign.isError ? (
        <Failure error={campaign.error} again={campaign.refetch} />
      ) : (
        <Skeleton lines={4} height={150} />
      )}
    </>
  )
}

function Loaded({ campaign }: { campaign: Schemas['Campaign'] }) {
  const t = useWords(texts)
  const [start, setStart] = useState<Start>(() => editStart(campaign))
  if (campaign.status !== 'draft' && campaign.status !== 'scheduled')
    return (
      <Empty title={t.begun} action={<GoTo to={`/campaigns/${campaign.id}`}>{t.look}</GoTo>}>
        {t.why}
      </Empty>
    )
  return (
    <>
      {campaign.status_reason && (
        <div class="notice warn">
          <p>{campaign.status_reason}</p>
        </div>
      )}
      <Resumable
        campaignID={campaign.id}
        start={start}
        fresh={() => setStart({ plan: planOf(campaign), stored: storedAs(campaign, planOf(campaign)), unsaved: false })}
      />
    </>
  )
}

function editStart(campaign: Schemas['Campaign']): Start {
  const plan = planOf(campaign)
  const stored = storedAs(campaign, plan)
  const kept = unsaved(campaign.id)
  return kept ? { plan: kept.plan, launch: kept.launch, stored, unsaved: true } : { plan, stored, unsaved: false }
}

/** The form; if it holds what had been left unsaved, it says so and lets that be discarded. */
function Resumable({ campaignID, start, fresh }: { campaignID: string | undefined; start: Start; fresh: () => void }) {
  const t = useWords(texts)
  // Everything at once, so that nothing moves when the categories come.
  if (useInfiniteQuery(allCategories).isPending) return <Skeleton lines={4} height={150} />
  return (
    <>
      {start.unsaved && (
        <div class="notice">
          <p>{t.back}</p>
          <button
            type="button"
            class="button small"
            onClick={() => {
              forgetUnsaved(campaignID)
              fresh()
            }}
          >
            {t.discard}
          </button>
        </div>
      )}
      <Editor key={String(start.unsaved)} campaignID={campaignID} start={start} />
    </>
  )
}
