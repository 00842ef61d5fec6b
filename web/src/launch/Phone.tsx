import { useState } from 'preact/hooks'
import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { Icon } from '../ui/icons'
import { bilingual, useWords } from '../words/language'
import { FormattedText } from './FormattedText'
import { Media } from './Media'
import type { MessageName, Plan } from './plan'
import { render, variablesOf } from './rendering'
import { useSettled } from './useSettled'

const texts = bilingual(
  {
    title: 'Preview',
    sender: 'Your number',
    reply: 'Any reply within 24 hours',
    message: { message_1: 'Message 1 will be here.', message_2: 'Message 2 will be here.' },
    blank: 'Nothing is left of this text for this contact.',
    seen: 'Seen by',
    nobody: 'A contact without data',
    another: 'Another contact',
    chat: 'The conversation as the contact sees it',
  },
  {
    title: 'Aperçu',
    sender: 'Votre numéro',
    reply: 'Toute réponse sous 24 heures',
    message: { message_1: 'Le message 1 sera ici.', message_2: 'Le message 2 sera ici.' },
    blank: 'Il ne reste rien de ce texte pour ce contact.',
    seen: 'Vu par',
    nobody: 'Un contact sans données',
    another: 'Autre contact',
    chat: 'La conversation telle que le contact la voit',
  },
)

/** Both messages on the telephone of a real contact of the audience. */
export function Phone({ plan, contacts, loading }: { plan: Plan; contacts: Schemas['Contact'][]; loading: boolean }) {
  const t = useWords(texts)
  const [turn, setTurn] = useState(0)
  const contact = contacts.length ? contacts[turn % contacts.length] : undefined
  return (
    <section class="card preview" aria-label={t.title}>
      <div class="row apart who-sees">
        <p>
          {contact ? (
            <>
              <span class="muted">{t.seen}</span>{' '}
              <Link href={`/contacts/${contact.id}`} class="strong" title={contact.phone}>
                {contact.name || contact.phone}
              </Link>
            </>
          ) : (
            <span class="muted">{loading ? '…' : t.nobody}</span>
          )}
        </p>
        <button
          type="button"
          class="button small"
          disabled={contacts.length < 2}
          onClick={() => setTurn((now) => now + 1)}
        >
          {t.another}
        </button>
      </div>
      <div class="phone">
        <div class="phone-head">
          <span class="avatar" aria-hidden="true">
            <Icon name="account" />
          </span>
          {t.sender}
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <div class="chat" role="group" aria-label={t.chat} tabIndex={0}>
          <Bubble plan={plan} message="message_1" contact={contact} />
          <p class="bubble theirs">{t.reply}</p>
          <Bubble plan={plan} message="message_2" contact={contact} />
        </div>
      </div>
    </section>
  )
}

function Bubble({
  plan,
  message,
  contact,
}: {
  plan: Plan
  message: MessageName
  contact: Schemas['Contact'] | undefined
}) {
  const t = useWords(texts)
  const written = plan[message]
  const text = render(written, contact ? variablesOf(contact) : {})
  const media = useSettled(plan[`${message}_media_url`].trim())
  return (
    <div class="bubble ours" data-testid={`preview-${message}`}>
      {media && <Media key={media} address={media} />}
      {text.trim() ? (
        <FormattedText text={text} />
      ) : (
        <p class="absent">{written.trim() ? t.blank : t.message[message]}</p>
      )}
    </div>
  )
}
