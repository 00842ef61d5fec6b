import type { Schemas } from '../api/client'
import { Icon } from '../ui/icons'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'

type Counted = (n: string, one: boolean) => string

const texts = bilingual(
  {
    completed: 'The campaign is complete.',
    cancelled: 'The campaign was cancelled.',
    sent: (sent: string, total: string, one: boolean) =>
      one ? `Message 1 was sent to ${sent} of 1 contact.` : `Message 1 was sent to ${sent} of ${total} contacts.`,
    replied: (n: string, share: string) => `${n} replied in time (${share}),`,
    answered: ((n) => `and Message 2 was sent to ${n}.`) as Counted,
    nobody: 'Nobody replied in time.',
    late: ((n) => `${n} replied too late.`) as Counted,
    failed: ((n) => `${n} failed.`) as Counted,
    unsent: ((n, one) => `${n} ${one ? 'was' : 'were'} not sent anything.`) as Counted,
  },
  {
    completed: 'La campagne est terminée.',
    cancelled: 'La campagne a été annulée.',
    sent: (sent: string, total: string, one: boolean) =>
      one
        ? `Le message 1 est parti à ${sent} contact sur 1.`
        : `Le message 1 est parti à ${sent} des ${total} contacts.`,
    replied: (n: string, share: string) => `${n} ${n === '1' ? 'a' : 'ont'} répondu à temps (${share}),`,
    answered: ((n) => `et le message 2 est parti à ${n}.`) as Counted,
    nobody: 'Personne n’a répondu à temps.',
    late: ((n, one) => `${n} ${one ? 'a' : 'ont'} répondu trop tard.`) as Counted,
    failed: ((n) => `${n} en échec.`) as Counted,
    unsent: ((n, one) => `${n} ${one ? 'n’a' : 'n’ont'} rien reçu.`) as Counted,
  },
)

/** What a campaign that has ended came to, in a sentence or three. */
export function Outcome({ campaign, stats }: { campaign: Schemas['Campaign']; stats: Schemas['Stats'] }) {
  const t = useWords(texts)
  const format = useFormat()
  const counted = (words: Counted, n = 0) => (n ? words(format.number(n), n === 1) : '')
  const { sent } = stats.by_type.message_1
  const said = [
    campaign.status === 'cancelled' ? t.cancelled : t.completed,
    t.sent(format.number(sent), format.number(stats.total_contacts), stats.total_contacts === 1),
    ...(stats.replied
      ? [
          t.replied(format.number(stats.replied), format.share(stats.replied, sent)),
          t.answered(format.number(stats.by_type.message_2.sent), false),
        ]
      : sent
        ? [t.nobody]
        : []),
    counted(t.late, stats.states.late_interaction),
    counted(t.failed, stats.states.failed),
    counted(t.unsent, stats.states.not_sent),
  ]
  return (
    <div class={campaign.status === 'cancelled' ? 'notice warn' : 'notice'}>
      <Icon name={campaign.status === 'cancelled' ? 'stop' : 'check'} />
      <p>{said.filter(Boolean).join(' ')}</p>
    </div>
  )
}
