import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    total_contacts: 'contacts written to or waiting',
    messages_sent: 'accepted by WhatsApp',
    messages_delivered: 'delivered',
    messages_read: 'read',
    interactions: 'replies',
    failures: 'failures',
  },
  {
    total_contacts: 'contacts visés',
    messages_sent: 'acceptés par WhatsApp',
    messages_delivered: 'distribués',
    messages_read: 'lus',
    interactions: 'réponses',
    failures: 'échecs',
  },
)

const lists = {
  total_contacts: '/campaigns',
  messages_sent: '/messages?reached=sent',
  messages_delivered: '/messages?reached=delivered',
  messages_read: '/messages?reached=read',
  interactions: '/messages?type=message_2',
  failures: '/messages?status=failed',
} as const

/** The seed's six numbers (Property 14), each leading to what is behind it. */
export function Totals({ stats }: { stats: Schemas['Stats'] }) {
  const t = useWords(texts)
  const format = useFormat()
  return (
    <div class="figures">
      {(Object.keys(lists) as (keyof typeof lists)[]).map((name) => (
        <Link key={name} class="figure" href={lists[name]}>
          <span class="value">{format.number(stats[name])}</span>
          <span class="name">{t[name]}</span>
        </Link>
      ))}
    </div>
  )
}
