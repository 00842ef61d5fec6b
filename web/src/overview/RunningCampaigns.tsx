import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { StateBar } from '../ui/meters'
import { Empty, GoTo, Moment, StatusBadge } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    none: 'No campaign is under way',
    what: 'Message 1 goes to everybody you choose; whoever replies within 24 hours gets Message 2 in seconds.',
    launch: 'Prepare a campaign',
    sent: (n: string, of: string) => `${n} of ${of} sent`,
    replied: (n: string) => `${n} replied`,
    answered: (n: string) => `${n} answered`,
    failed: (n: string) => `${n} failed`,
    starts: 'starts',
    closes: 'closes by',
  },
  {
    none: "Aucune campagne n'est en cours",
    what: 'Le message 1 part à toutes les personnes choisies\u00a0; qui répond dans les 24 heures reçoit le message 2 en quelques secondes.',
    launch: 'Préparer une campagne',
    sent: (n: string, of: string) => `${n} envoyés sur ${of}`,
    replied: (n: string) => `${n} ont répondu`,
    answered: (n: string) => `${n} messages 2`,
    failed: (n: string) => `${n} en échec`,
    starts: 'début',
    closes: 'fin au plus tard',
  },
)

/** The campaigns that wait, run or are paused, each with how far it is. */
export function RunningCampaigns({ campaigns }: { campaigns: Schemas['LiveCampaign'][] }) {
  const t = useWords(texts)
  if (campaigns.length === 0) {
    return (
      <Empty title={t.none} action={<GoTo to="/campaigns/new">{t.launch}</GoTo>}>
        {t.what}
      </Empty>
    )
  }
  return (
    <ul class="under-way">
      {campaigns.map((campaign) => (
        <UnderWay key={campaign.id} campaign={campaign} />
      ))}
    </ul>
  )
}

function UnderWay({ campaign }: { campaign: Schemas['LiveCampaign'] }) {
  const t = useWords(texts)
  const format = useFormat()
  const { stats } = campaign
  const to = `/campaigns/${campaign.id}`
  const count = (n: number | undefined) => format.number(n ?? 0)
  const waits = campaign.status === 'scheduled'
  return (
    <li class="stack">
      <div class="row apart">
        <Link href={to} class="strong">
          {campaign.name}
        </Link>
        <StatusBadge status={campaign.status} />
      </div>
      {!waits && <StateBar counts={stats.states} total={stats.total_contacts} />}
      <div class="row apart muted small">
        {waits ? (
          <span>
            {t.starts} <Moment at={campaign.scheduled_at} />
          </span>
        ) : (
          <span class="row">
            <Link href={`${to}?reached=sent`}>
              {t.sent(count(stats.by_type.message_1.sent), count(stats.total_contacts))}
            </Link>
            <Link href={`${to}?reached=replied`}>{t.replied(count(stats.replied))}</Link>
            <Link href={`${to}?state=message_2_sent`}>{t.answered(count(stats.states.message_2_sent))}</Link>
            {stats.states.failed ? (
              <Link href={`${to}?state=failed`}>{t.failed(count(stats.states.failed))}</Link>
            ) : null}
          </span>
        )}
        {campaign.deadline_at && (
          <span>
            {t.closes} <Moment at={campaign.deadline_at} />
          </span>
        )}
      </div>
    </li>
  )
}
