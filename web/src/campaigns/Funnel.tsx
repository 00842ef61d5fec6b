import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { type Reached, recipientsOf } from './links'
import { showRecipients } from './Recipients'

const texts = bilingual(
  {
    recipients: 'Recipients',
    sent: 'Sent',
    delivered: 'Delivered',
    read: 'Read',
    replied: 'Replied in time',
    answered: 'Answered',
    shares: 'Shares are of those whom Message 1 was sent to.',
    ofRecipients: 'of the recipients',
    ofSent: 'of those sent',
  },
  {
    recipients: 'Destinataires',
    sent: 'Envoyés',
    delivered: 'Distribués',
    read: 'Lus',
    replied: 'Réponses à temps',
    answered: 'Messages 2',
    shares: 'Les parts se rapportent à ceux à qui le message 1 a été envoyé.',
    ofRecipients: 'des destinataires',
    ofSent: 'des envoyés',
  },
)

type Step = { name: 'recipients' | Reached; count: number; whole: number }

/** How many came how far, each number leading to the contacts behind it. */
export function Funnel({ id, stats }: { id: string; stats: Schemas['Stats'] }) {
  const t = useWords(texts)
  const format = useFormat()
  const total = stats.total_contacts
  const { message_1, message_2 } = stats.by_type
  const steps: Step[] = [
    { name: 'recipients', count: total, whole: total },
    { name: 'sent', count: message_1.sent, whole: total },
    { name: 'delivered', count: message_1.delivered, whole: message_1.sent },
    { name: 'read', count: message_1.read, whole: message_1.sent },
    { name: 'replied', count: stats.replied, whole: message_1.sent },
    { name: 'answered', count: message_2.sent, whole: message_1.sent },
  ]
  return (
    <>
      <ol class="funnel">
        {steps.map(({ name, count, whole }) => (
          <li key={name}>
            <Link
              href={recipientsOf(id, name === 'recipients' ? {} : { reached: name })}
              onClick={showRecipients}
              class="step"
            >
              <span class="name">{t[name]}</span>
              <span class="bar" aria-hidden="true">
                <span class={`fill ${name}`} style={{ width: `${(100 * count) / Math.max(total, 1)}%` }} />
              </span>
              <span class="value">{format.number(count)}</span>
              <span class="muted share">
                {name !== 'recipients' && (
                  <>
                    {whole > 0 ? format.percent(count / whole) : '–'}
                    <span class="unseen"> {name === 'sent' ? t.ofRecipients : t.ofSent}</span>
                  </>
                )}
              </span>
            </Link>
          </li>
        ))}
      </ol>
      <p class="hint">{t.shares}</p>
    </>
  )
}
