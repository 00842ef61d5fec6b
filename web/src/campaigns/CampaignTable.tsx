import { Link } from 'wouter-preact'
import { StateBar } from '../ui/meters'
import { Moment, StatusBadge } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { type Reached, reachedSteps, recipientsOf } from './links'
import type { Listed } from './live'
import { useStatusReason } from './statusReason'

const texts = bilingual(
  {
    campaign: 'Campaign',
    status: 'Status',
    progress: 'Progress',
    contacts: 'Contacts',
    sent: 'Sent',
    delivered: 'Delivered',
    read: 'Read',
    replied: 'Replied',
    answered: 'Answered',
    starts: 'Starts',
    started: 'Started',
    ended: 'Ended',
    planned: 'Not launched',
  },
  {
    campaign: 'Campagne',
    status: 'État',
    progress: 'Avancement',
    contacts: 'Contacts',
    sent: 'Envoyés',
    delivered: 'Distribués',
    read: 'Lus',
    replied: 'Réponses',
    answered: 'Messages 2',
    starts: 'Début',
    started: 'Depuis',
    ended: 'Fin',
    planned: 'Pas encore lancée',
  },
)

export function CampaignTable({ campaigns }: { campaigns: Listed[] }) {
  const t = useWords(texts)
  return (
    <table class="list">
      <thead>
        <tr>
          <th scope="col">{t.campaign}</th>
          <th scope="col">{t.status}</th>
          <th scope="col" class="progress">
            {t.progress}
          </th>
          <th scope="col" class="right">
            {t.contacts}
          </th>
          {reachedSteps.map((step) => (
            <th key={step} scope="col" class="right">
              {t[step]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {campaigns.map((campaign) => (
          <Row key={campaign.id} campaign={campaign} />
        ))}
      </tbody>
    </table>
  )
}

function Row({ campaign }: { campaign: Listed }) {
  const t = useWords(texts)
  const format = useFormat()
  const reason = useStatusReason()
  const { stats } = campaign
  const begun = campaign.status !== 'draft' && campaign.status !== 'scheduled'
  const { message_1, message_2 } = stats.by_type
  const numbers: Record<Reached, number> = {
    sent: message_1.sent,
    delivered: message_1.delivered,
    read: message_1.read,
    replied: stats.replied,
    answered: message_2.sent,
  }
  return (
    <tr>
      <td>
        <div class="named">
          <Link href={recipientsOf(campaign.id)} class="strong">
            {campaign.name}
          </Link>
          {campaign.status_reason && <span class="muted small">{reason(campaign.status_reason)}</span>}
        </div>
      </td>
      <td data-name={t.status}>
        <div class="standing">
          <StatusBadge status={campaign.status} />
          <When campaign={campaign} />
        </div>
      </td>
      <td data-name={begun ? t.progress : undefined} class="progress">
        {begun && <StateBar counts={stats.states} total={stats.total_contacts} />}
      </td>
      <td data-name={t.contacts} class="right">
        {begun && <Link href={recipientsOf(campaign.id)}>{format.number(stats.total_contacts)}</Link>}
      </td>
      {reachedSteps.map((step) => (
        <td key={step} data-name={t[step]} class="right">
          {begun && (
            <span class="counted">
              <Link href={recipientsOf(campaign.id, { reached: step })}>{format.number(numbers[step])}</Link>
              <span class="muted small">
                {format.share(numbers[step], step === 'sent' ? stats.total_contacts : message_1.sent)}
              </span>
            </span>
          )}
        </td>
      ))}
    </tr>
  )
}

function When({ campaign }: { campaign: Listed }) {
  const t = useWords(texts)
  const [word, at] = campaign.completed_at
    ? [t.ended, campaign.completed_at]
    : campaign.started_at
      ? [t.started, campaign.started_at]
      : campaign.scheduled_at
        ? [t.starts, campaign.scheduled_at]
        : [t.planned, null]
  return (
    <span class="muted small">
      {word} <Moment at={at} />
    </span>
  )
}
