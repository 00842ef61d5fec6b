import { useRef, useState } from 'preact/hooks'
import { ask, Problem, UNREACHABLE } from '../api/client'
import { forget } from '../api/queries'
import { Field, fieldError } from '../ui/field'
import { useReason } from '../ui/parts'
import { tell } from '../ui/toast'
import { bilingual, useWords } from '../words/language'
import { terms } from '../words/terms'
import type { MessageName } from './plan'
import { type Asked, askedAgain, keyOf } from './sameRequest'

const texts = bilingual(
  {
    title: 'Test message',
    about: 'A real message to a number of yours. It counts against the quota.',
    draft: 'Your draft is saved first.',
    plan: 'Your changes to the scheduled campaign are saved first.',
    phone: 'Phone number',
    hint: 'With the country code, such as +33\u00a06\u00a039\u00a098\u00a000\u00a001.',
    which: 'Message',
    send: 'Send a test',
    sent: (phone: string) => `The test message to ${phone} has been accepted by WhatsApp.`,
  },
  {
    title: "Message d'essai",
    about: "Un vrai message à l'un de vos numéros. Il compte dans le quota.",
    draft: "Votre brouillon est d'abord enregistré.",
    plan: "Vos changements de la campagne programmée sont d'abord enregistrés.",
    phone: 'Numéro de téléphone',
    hint: "Avec l'indicatif du pays, par exemple +33\u00a06\u00a039\u00a098\u00a000\u00a001.",
    which: 'Message',
    send: 'Envoyer un essai',
    sent: (phone: string) => `Le message d'essai à ${phone} a été accepté par WhatsApp.`,
  },
)

/** Sends one of the messages to one number, as it is now. */
export function TestSend({ save, scheduled }: { save: () => Promise<string | undefined>; scheduled: boolean }) {
  const t = useWords(texts)
  const words = useWords(terms)
  const reason = useReason()
  const [phone, setPhone] = useState('')
  const [message, setMessage] = useState<MessageName>('message_1')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const asked = useRef<Asked | undefined>(undefined)

  const send = async () => {
    setBusy(true)
    setError(undefined)
    try {
      const id = await save()
      if (!id) return
      asked.current = askedAgain(asked.current, { id, phone, message })
      await ask('post', '/campaigns/{id}/test-send', {
        params: { path: { id }, header: keyOf(asked.current) },
        body: { phone, message },
      })
      asked.current = undefined
      tell(t.sent(phone))
      void forget('/monitoring')
    } catch (refusal) {
      // After an answer that got lost, the same test must not leave twice.
      if (!(refusal instanceof Problem && refusal.status === UNREACHABLE)) asked.current = undefined
      setError(refusal)
    } finally {
      setBusy(false)
    }
  }
  const wrongPhone = fieldError(error, 'phone')
  return (
    <section class="card">
      <header>
        <h2>{t.title}</h2>
      </header>
      <p class="hint">
        {t.about} {scheduled ? t.plan : t.draft}
      </p>
      <form
        class="test-send"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <Field label={t.phone} hint={t.hint} error={wrongPhone}>
          {(attributes) => (
            <input
              {...attributes}
              type="tel"
              autocomplete="tel"
              value={phone}
              onInput={(event) => setPhone(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={t.which}>
          {(attributes) => (
            <select
              {...attributes}
              value={message}
              onChange={(event) => setMessage(event.currentTarget.value as MessageName)}
            >
              <option value="message_1">{words.messageType.message_1}</option>
              <option value="message_2">{words.messageType.message_2}</option>
            </select>
          )}
        </Field>
        <button type="submit" class="button" disabled={busy || !phone.trim()}>
          {t.send}
        </button>
      </form>
      {error !== undefined && !wrongPhone && (
        <p class="error" role="alert">
          {reason(error)}
        </p>
      )}
    </section>
  )
}
