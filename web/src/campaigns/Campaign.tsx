import { useQuery } from '@tanstack/preact-query'
import { useEffect } from 'preact/hooks'
import { useLive } from '../api/live'
import { forget, one } from '../api/queries'
import type { ScreenProps } from '../screens'
import { Failure, Skeleton, Title } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { CampaignPlan } from './CampaignPlan'
import { CampaignRun } from './CampaignRun'
import { withNews } from './live'
import '../style/campaigns.css'

const texts = bilingual({ one: 'Campaign', all: 'Campaigns' }, { one: 'Campagne', all: 'Campagnes' })

/** One campaign: what is planned of it, or how it runs and what became of everybody. */
export default function Campaign({ params: { id = '' } }: ScreenProps) {
  const t = useWords(texts)
  const campaign = useQuery(one('/campaigns/{id}', { params: { path: { id } } }))
  const counted = useQuery(one('/campaigns/{id}/stats', { params: { path: { id } } }))
  const { data: live, liveness } = useLive(`/campaigns/${id}/events`)
  const stats = live?.stats ?? counted.data

  const moved = campaign.data && live && campaign.data.status !== live.status
  useEffect(() => {
    if (moved) void forget('/campaigns/{id}', '/campaigns', '/campaigns/{id}/course', '/campaigns/{id}/recipients')
  }, [moved])

  const back = { to: '/campaigns', name: t.all }
  const error = campaign.error ?? counted.error
  if (campaign.data && stats) {
    const now = withNews(campaign.data, live)
    return now.status === 'draft' || now.status === 'scheduled' ? (
      <CampaignPlan campaign={now} liveness={liveness} back={back} />
    ) : (
      <CampaignRun campaign={now} stats={stats} liveness={liveness} back={back} />
    )
  }
  return (
    <>
      <Title back={back}>{t.one}</Title>
      {error ? (
        <Failure error={error} again={() => Promise.all([campaign.refetch(), counted.refetch()])} />
      ) : (
        <Skeleton lines={3} height={280} />
      )}
    </>
  )
}
