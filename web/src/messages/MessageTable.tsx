import { useInfiniteQuery } from '@tanstack/preact-query'
import { Link } from 'wouter-preact'
import { joinPages } from '../api/changes'
import type { Schemas } from '../api/client'
import { pages } from '../api/queries'
import { Moment } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { type MessageStatus, terms } from '../words/terms'

const texts = bilingual(
  {
    contact: 'Contact',
    message: 'Message',
    status: 'Status',
    sent: 'Accepted',
    delivered: 'Delivered',
    read: 'Read',
    attempts: 'Attempts',
    campaign: 'Campaign',
    erased: 'Erased',
  },
  {
    contact: 'Contact',
    message: 'Message',
    status: 'Statut',
    sent: 'Accepté',
    delivered: 'Distribué',
    read: 'Lu',
    attempts: 'Tentatives',
    campaign: 'Campagne',
    erased: 'Effacé',
  },
)

const tones: Partial<Record<MessageStatus, string>> = {
  sent: '',
  delivered: 'good',
  read: 'good',
  failed: 'bad',
  unknown: 'warn',
}

export function MessageTable({ messages }: { messages: Schemas['Message'][] }) {
  const t = useWords(texts)
  const campaigns = joinPages(
    useInfiniteQuery(pages('/campaigns', { params: { query: { limit: 200 } } })).data?.pages,
  ).items
  const names = new Map(campaigns.map((campaign) => [campaign.id, campaign.name]))
  return (
    <table class="list">
      <thead>
        <tr>
          <th scope="col">{t.contact}</th>
          <th scope="col">{t.campaign}</th>
          <th scope="col">{t.message}</th>
          <th scope="col">{t.status}</th>
          <th scope="col">{t.sent}</th>
          <th scope="col">{t.delivered}</th>
          <th scope="col">{t.read}</th>
          <th scope="col" class="right">
            {t.attempts}
          </th>
        </tr>
      </thead>
      <tbody>
        {messages.map((message) => (
          <MessageRow key={message.id} message={message} campaign={names.get(message.campaign_id) ?? t.campaign} />
        ))}
      </tbody>
    </table>
  )
}

function MessageRow({ message, campaign }: { message: Schemas['Message']; campaign: string }) {
  const t = useWords(texts)
  const words = useWords(terms)
  const format = useFormat()
  return (
    <tr>
      <td>
        <Link href={`/contacts/${message.contact_id}`}>{message.name || message.phone || t.erased}</Link>
      </td>
      <td data-name={t.campaign}>
        <Link href={`/campaigns/${message.campaign_id}`}>{campaign}</Link>
      </td>
      <td data-name={t.message}>{words.messageType[message.message_type]}</td>
      <td data-name={t.status}>
        <span>
          <span class={`badge ${tones[message.status] ?? ''}`}>{words.messageStatus[message.status]}</span>
          {message.error && <span class="hint"> {message.error}</span>}
        </span>
      </td>
      <td data-name={t.sent}>
        <Moment at={message.sent_at} />
      </td>
      <td data-name={t.delivered}>
        <Moment at={message.delivered_at} />
      </td>
      <td data-name={t.read}>
        <Moment at={message.read_at} />
      </td>
      <td data-name={t.attempts} class="right">
        {format.number(message.attempts)}
      </td>
    </tr>
  )
}
