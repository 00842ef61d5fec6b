import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { Moment, StatusBadge } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    title: 'Last results',
    all: 'All campaigns',
    none: 'Campaigns that have ended will be listed here.',
    campaign: 'Campaign',
    ended: 'Ended',
    contacts: 'Contacts',
    sent: 'Sent',
    delivered: 'Delivered',
    read: 'Read',
    replies: 'Replies',
    failed: 'Failed',
  },
  {
    title: 'Derniers résultats',
    all: 'Toutes les campagnes',
    none: 'Les campagnes terminées apparaîtront ici.',
    campaign: 'Campagne',
    ended: 'Fin',
    contacts: 'Contacts',
    sent: 'Envoyés',
    delivered: 'Distribués',
    read: 'Lus',
    replies: 'Réponses',
    failed: 'Échecs',
  },
)

const SHOWN = 5

export function LastResults({ campaigns }: { campaigns: Schemas['Campaign'][] }) {
  const t = useWords(texts)
  const ended = campaigns.filter((c) => c.status === 'completed' || c.status === 'cancelled').slice(0, SHOWN)
  return (
    <section class="card" aria-labelledby="results">
      <header>
        <h2 id="results">{t.title}</h2>
        <Link href="/campaigns">{t.all}</Link>
      </header>
      {ended.length === 0 ? (
        <p class="muted">{t.none}</p>
      ) : (
        <table class="list">
          <thead>
            <tr>
              <th scope="col">{t.campaign}</th>
              <th scope="col">{t.ended}</th>
              {(['contacts', 'sent', 'delivered', 'read', 'replies', 'failed'] as const).map((name) => (
                <th key={name} scope="col" class="right">
                  {t[name]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ended.map((campaign) => (
              <Result key={campaign.id} campaign={campaign} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function Result({ campaign }: { campaign: Schemas['Campaign'] }) {
  const t = useWords(texts)
  const format = useFormat()
  const messages = (n: number, filter: string) => (
    <Link href={`/messages?campaign_id=${campaign.id}&${filter}`}>{format.number(n)}</Link>
  )
  return (
    <tr>
      <td>
        <Link href={`/campaigns/${campaign.id}`}>{campaign.name}</Link>{' '}
        {campaign.status === 'cancelled' && <StatusBadge status={campaign.status} />}
      </td>
      <td data-name={t.ended}>
        <Moment at={campaign.completed_at} />
      </td>
      <td data-name={t.contacts} class="right">
        <Link href={`/campaigns/${campaign.id}`}>{format.number(campaign.total_contacts)}</Link>
      </td>
      <td data-name={t.sent} class="right">
        {messages(campaign.sent_count, 'reached=sent')}
      </td>
      <td data-name={t.delivered} class="right">
        {messages(campaign.delivered_count, 'reached=delivered')}
      </td>
      <td data-name={t.read} class="right">
        {messages(campaign.read_count, 'reached=read')}
      </td>
      <td data-name={t.replies} class="right">
        <Link href={`/campaigns/${campaign.id}?reached=replied`}>{format.number(campaign.interaction_count)}</Link>
      </td>
      <td data-name={t.failed} class="right">
        {messages(campaign.failed_count, 'status=failed')}
      </td>
    </tr>
  )
}
