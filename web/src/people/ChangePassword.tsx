import { useState } from 'preact/hooks'
import { ask } from '../api/client'
import { forget } from '../api/queries'
import { Field, fieldError } from '../ui/field'
import { useReason } from '../ui/parts'
import { tell } from '../ui/toast'
import { bilingual, useWords } from '../words/language'
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from './passwords'

const texts = bilingual(
  {
    title: 'Password',
    what: 'A new password logs you out everywhere else; this browser stays logged in. API tokens stay valid.',
    current: 'Current password',
    wrong: 'This is not the password that you log in with.',
    next: 'New password',
    rule: 'At least 8 characters.',
    change: 'Change the password',
    changed: 'Your password is changed. Everywhere else you are logged out.',
  },
  {
    title: 'Mot de passe',
    what: 'Un nouveau mot de passe vous déconnecte partout ailleurs\u00a0; ce navigateur reste connecté. Les jetons d’API restent valables.',
    current: 'Mot de passe actuel',
    wrong: 'Ce n’est pas le mot de passe avec lequel vous vous connectez.',
    next: 'Nouveau mot de passe',
    rule: 'Au moins 8 caractères.',
    change: 'Changer le mot de passe',
    changed: 'Votre mot de passe est changé. Vous êtes déconnecté partout ailleurs.',
  },
)

export function ChangePassword() {
  const t = useWords(texts)
  const reason = useReason()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const change = async (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const said = new FormData(form)
    setBusy(true)
    setError(undefined)
    try {
      await ask('post', '/auth/password', {
        body: { current_password: String(said.get('current')), new_password: String(said.get('next')) },
      })
      form.reset()
      tell(t.changed)
      await forget('/auth/sessions')
    } catch (refusal) {
      setError(refusal)
    } finally {
      setBusy(false)
    }
  }
  const wrong = fieldError(error, 'current_password') && t.wrong
  const unfit = fieldError(error, 'new_password') && t.rule
  return (
    <form class="card" onSubmit={change}>
      <h2>{t.title}</h2>
      <p class="muted">{t.what}</p>
      <Field label={t.current} error={wrong}>
        {(attributes) => (
          <input {...attributes} name="current" type="password" autocomplete="current-password" required />
        )}
      </Field>
      <Field label={t.next} hint={t.rule} error={unfit}>
        {(attributes) => (
          <input
            {...attributes}
            name="next"
            type="password"
            autocomplete="new-password"
            minLength={SHORTEST_PASSWORD}
            maxLength={LONGEST_PASSWORD}
            required
          />
        )}
      </Field>
      {error !== undefined && !wrong && !unfit && (
        <p class="error" role="alert">
          {reason(error)}
        </p>
      )}
      <p>
        <button type="submit" class="button main" disabled={busy}>
          {t.change}
        </button>
      </p>
    </form>
  )
}
