import { useState } from 'preact/hooks'
import { Field, fieldError } from '../ui/field'
import { useReason } from '../ui/parts'
import { tell } from '../ui/toast'
import { bilingual, useWords } from '../words/language'
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from './passwords'

const texts = bilingual(
  {
    label: 'New password',
    hint: 'At least 8 characters. The user is logged out everywhere and logs in with it from then on.',
    set: 'Set the password',
    done: 'The password is set. The user is logged out everywhere.',
  },
  {
    label: 'Nouveau mot de passe',
    hint: 'Au moins 8 caractères. L’utilisateur est déconnecté partout et se connecte désormais avec.',
    set: 'Définir le mot de passe',
    done: 'Le mot de passe est défini. L’utilisateur est déconnecté partout.',
  },
)

export function SetPassword({ set }: { set: (password: string) => Promise<unknown> }) {
  const t = useWords(texts)
  const reason = useReason()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    setBusy(true)
    setError(undefined)
    try {
      await set(String(new FormData(form).get('password')))
      form.reset()
      tell(t.done)
    } catch (refusal) {
      setError(refusal)
    } finally {
      setBusy(false)
    }
  }
  const unfit = fieldError(error, 'password') && t.hint
  return (
    <form onSubmit={submit}>
      <Field label={t.label} hint={t.hint} error={unfit || (error === undefined ? undefined : reason(error))}>
        {(attributes) => (
          <span class="secret">
            <input
              {...attributes}
              name="password"
              type="password"
              autocomplete="new-password"
              minLength={SHORTEST_PASSWORD}
              maxLength={LONGEST_PASSWORD}
              required
            />
            <button type="submit" class="button" disabled={busy}>
              {t.set}
            </button>
          </span>
        )}
      </Field>
    </form>
  )
}
