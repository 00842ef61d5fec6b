import { useEffect, useRef, useState } from 'preact/hooks'
import { ask, Problem } from '../api/client'
import { one, queryClient } from '../api/queries'
import { Language } from '../Navigation'
import type { ScreenProps } from '../screens'
import { Field } from '../ui/field'
import { Title, useReason } from '../ui/parts'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    title: 'Log in',
    over: 'Your session is over. Log in to go on where you were.',
    email: 'E-mail address',
    password: 'Password',
    wrong: 'The e-mail address or the password is wrong.',
    enter: 'Log in',
  },
  {
    title: 'Connexion',
    over: 'Votre session est terminée. Connectez-vous pour reprendre où vous en étiez.',
    email: 'Adresse e-mail',
    password: 'Mot de passe',
    wrong: 'L’adresse e-mail ou le mot de passe est incorrect.',
    enter: 'Se connecter',
  },
)

export default function Login({ enter }: ScreenProps) {
  const t = useWords(texts)
  const reason = useReason()
  const email = useRef<HTMLInputElement>(null)
  const password = useRef<HTMLInputElement>(null)
  // Who was known until now is cut off; who logs out or comes first is not known.
  const [wasIn] = useState(() => queryClient.getQueryData(one('/auth/me').queryKey))
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  useEffect(() => (wasIn ? password : email).current?.focus(), [])
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
      password.current?.select()
    }
  }
  return (
    <main class="login">
      <form class="card" onSubmit={login}>
        <span class="brand">Relance</span>
        <Title aside={<Language />}>{t.title}</Title>
        {wasIn && <p class="notice">{t.over}</p>}
        <Field label={t.email}>
          {(attributes) => (
            <input
              {...attributes}
              ref={email}
              name="email"
              type="email"
              autocomplete="username"
              defaultValue={wasIn?.email}
              required
            />
          )}
        </Field>
        <Field label={t.password}>
          {(attributes) => (
            <input
              {...attributes}
              ref={password}
              name="password"
              type="password"
              autocomplete="current-password"
              required
            />
          )}
        </Field>
        {error !== undefined && (
          <p class="error" role="alert">
            {error instanceof Problem && error.status === 401 ? t.wrong : reason(error)}
          </p>
        )}
        <button type="submit" class="button main" disabled={busy}>
          {t.enter}
        </button>
      </form>
    </main>
  )
}
