import { useEffect, useRef } from 'preact/hooks'
import type { Schemas } from '../api/client'
import type { Liveness } from '../api/live'
import { forget } from '../api/queries'
import { Icon } from '../ui/icons'
import { Later } from '../ui/Later'
import { Live } from '../ui/Live'
import { Moment, StatusBadge, Title } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { CampaignTexts } from './CampaignTexts'
import { Controls } from './Controls'
import { Course } from './Course'
import { Funnel } from './Funnel'
import { Outcome } from './Outcome'
import { Recipients } from './Recipients'
import { States } from './States'
import { WhyPaused } from './WhyPaused'

const texts = bilingual(
  {
    started: 'Started',
    ended: 'Ended',
    closes: 'Closes by',
    run: 'Its run in Temporal',
    funnel: 'From recipient to answer',
    states: 'Where everybody is',
  },
  {
    started: 'Commencée',
    ended: 'Terminée',
    closes: 'Se clôt au plus tard',
    run: 'Son exécution dans Temporal',
    funnel: 'Du destinataire au message 2',
    states: 'Où en est chacun',
  },
)

/** A campaign that has begun: live while it runs, its results when it has ended. */
export function CampaignRun(props: {
  campaign: Schemas['Campaign']
  stats: Schemas['Stats']
  liveness: Liveness
  back: { to: string; name: string }
}) {
  const t = useWords(texts)
  const { campaign, stats } = props
  const moving = campaign.status === 'running' || campaign.status === 'paused'
  const numbers = JSON.stringify(stats)
  const shown = useRef(numbers)
  useEffect(() => {
    // What has ended is not asked for again and again; but somebody may reply late.
    if (!moving && shown.current !== numbers) void forget('/campaigns/{id}/recipients', '/campaigns/{id}/course')
    shown.current = numbers
  }, [numbers, moving])
  return (
    <div class="stack campaign" data-ready>
      <Title back={props.back} aside={<Controls campaign={campaign} stats={stats} />}>
        {campaign.name}
      </Title>
      <p class="row facts">
        <StatusBadge status={campaign.status} />
        <span class="muted">
          {t.started} <Moment at={campaign.started_at} />
        </span>
        {campaign.completed_at ? (
          <span class="muted">
            {t.ended} <Moment at={campaign.completed_at} />
          </span>
        ) : (
          <span class="muted">
            {t.closes} <Moment at={campaign.deadline_at} />
          </span>
        )}
        {campaign.temporal_url && (
          <a class="outside" href={campaign.temporal_url} target="_blank" rel="noopener">
            {t.run}
            <Icon name="external" />
          </a>
        )}
        <Live liveness={props.liveness} />
      </p>
      {campaign.status === 'paused' && <WhyPaused reason={campaign.status_reason} />}
      {!moving && <Outcome campaign={campaign} stats={stats} />}
      <div class="columns">
        <section class="card" aria-labelledby="funnel">
          <h2 id="funnel">{t.funnel}</h2>
          <Funnel id={campaign.id} stats={stats} />
        </section>
        <section class="card" aria-labelledby="states">
          <h2 id="states">{t.states}</h2>
          <States id={campaign.id} stats={stats} />
        </section>
      </div>
      <Later>
        <Course campaign={campaign} moving={moving} />
        <Recipients id={campaign.id} stats={stats} moving={moving} />
        <CampaignTexts campaign={campaign} />
      </Later>
    </div>
  )
}
