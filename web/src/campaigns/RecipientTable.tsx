import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { Moment } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { type MessageStatus, terms } from '../words/terms'
import { providerWords } from './providerWords'

const texts = bilingual(
  {
    contact: 'Contact',
    state: 'State',
    reply: 'Reply',
    until: 'open until',
    said: 'The provider says:',
    erased: 'Erased',
  },
  {
    contact: 'Contact',
    state: 'État',
    reply: 'Réponse',
    until: 'ouvert jusqu’à',
    said: 'Le fournisseur dit\u00a0:',
    erased: 'Effacé',
  },
)

type Recipient = Schemas['Recipient']

export function RecipientTable({ recipients, busy }: { recipients: Recipient[]; busy: boolean }) {
  const t = useWords(texts)
  const { messageType } = useWords(terms)
  return (
    <table class="list" aria-busy={busy}>
      <thead>
        <tr>
          <th scope="col">{t.contact}</th>
          <th scope="col">{t.state}</th>
          <th scope="col">{messageType.message_1}</th>
          <th scope="col">{t.reply}</th>
          <th scope="col">{messageType.message_2}</th>
        </tr>
      </thead>
      <tbody>
        {recipients.map((recipient) => (
          <Row key={recipient.contact_id} recipient={recipient} />
        ))}
      </tbody>
    </table>
  )
}

function Row({ recipient }: { recipient: Recipient }) {
  const t = useWords(texts)
  const words = useWords(terms)
  const { state, state_reason, error } = recipient
  return (
    <tr>
      <td class="two">
        <Link href={`/contacts/${recipient.contact_id}`}>{recipient.name || recipient.phone || t.erased}</Link>
        {recipient.name && <span class="muted small number">{recipient.phone}</span>}
      </td>
      <td data-name={t.state} class="two">
        <span class="state">
          <span class={`dot fill ${state}`} />
          {words.recipientState[state]}
        </span>
        {state_reason && <span class="muted small">{words.reason[state_reason] ?? state_reason}</span>}
        {error && (
          <span class="small said" title={error}>
            <span class="unseen">{t.said} </span>
            {providerWords(error)}
          </span>
        )}
      </td>
      <td data-name={words.messageType.message_1} class="two">
        <Sent
          status={recipient.message_1_status}
          at={recipient.message_1_sent_at}
          over={recipient.finished_at !== null}
        />
      </td>
      <td data-name={t.reply} class="two">
        {recipient.replied_at ? (
          <Moment at={recipient.replied_at} />
        ) : (
          state === 'message_1_sent' && (
            <span class="muted small">
              {t.until} <Moment at={recipient.window_ends_at} />
            </span>
          )
        )}
      </td>
      <td data-name={words.messageType.message_2} class="two">
        {recipient.message_2_status && (
          <Sent
            status={recipient.message_2_status}
            at={recipient.message_2_sent_at}
            over={recipient.finished_at !== null}
          />
        )}
      </td>
    </tr>
  )
}

/** How far a message came and when it left; nothing for one that will never leave. */
function Sent({ status, at, over }: { status: string; at: string | null; over: boolean }) {
  const { messageStatus } = useWords(terms)
  if (status === 'pending' && over) return null
  return (
    <>
      <span>{messageStatus[status as MessageStatus] ?? status}</span>
      {at && (
        <span class="muted small">
          <Moment at={at} />
        </span>
      )}
    </>
  )
}
