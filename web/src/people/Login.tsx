import { useState } from 'preact/hooks'
import { ask } from '../api/client'
import { Language } from '../Navigation'
import type { ScreenProps } from '../screens'
import { Field } from '../ui/field'
import { Title, useReason } from '../ui/parts'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  { title: 'Log in', email: 'E-mail address', password: 'Password', enter: 'Log in' },
  { title: 'Connexion', email: 'Adresse e-mail', password: 'Mot de passe', enter: 'Se connecter' },
)

export default function Login({ enter }: ScreenProps) {
  const t = useWords(texts)
  const reason = useReason()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const login = async (event: SubmitEvent) => {
    event.preventDefault()
    const said = new FormData(event.currentTarget as HTMLFormElement)
    setBusy(true)
    setError(undefined)
    try {
      await ask('post', '/auth/login', {
        body: { email: String(said.get('email')), password: String(said.get('password')) },
      })
      enter?.()
    } catch (refusal) {
      setError(refusal)
      setBusy(false)
    }
  }
  return (
    <main class="login">
      <form class="card" onSubmit={login}>
        <span class="brand">Relance</span>
        <Title aside={<Language />}>{t.title}</Title>
        <Field label={t.email}>
          {(attributes) => <input {...attributes} name="email" type="email" autocomplete="username" required />}
        </Field>
        <Field label={t.password}>
          {(attributes) => (
            <input {...attributes} name="password" type="password" autocomplete="current-password" required />
          )}
        </Field>
        {error !== undefined && (
          <p class="error" role="alert">
            {reason(error)}
          </p>
        )}
        <button type="submit" class="button main" disabled={busy}>
          {t.enter}
        </button>
      </form>
    </main>
  )
}
