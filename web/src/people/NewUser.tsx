import { useState } from 'preact/hooks'
import { ask, Problem } from '../api/client'
import { forget } from '../api/queries'
import { Dialog } from '../ui/dialog'
import { Field, fieldError } from '../ui/field'
import { useReason } from '../ui/parts'
import { tell } from '../ui/toast'
import { bilingual, useWords } from '../words/language'
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from './passwords'
import { type Role, roles, roleWords } from './roles'

const texts = bilingual(
  {
    title: 'Create a user',
    email: 'E-mail address',
    unfitEmail: 'This is not an e-mail address.',
    taken: 'Another user has this e-mail address.',
    password: 'First password',
    rule: 'At least 8 characters. Tell the person in confidence; they change it under Account.',
    role: 'Role',
    create: 'Create the user',
    created: (email: string) => `${email} may log in now.`,
  },
  {
    title: 'Créer un utilisateur',
    email: 'Adresse e-mail',
    unfitEmail: 'Ce n’est pas une adresse e-mail.',
    taken: 'Un autre utilisateur a cette adresse e-mail.',
    password: 'Premier mot de passe',
    rule: 'Au moins 8 caractères. Transmettez-le à la personne en confidence\u00a0; elle le change sous Compte.',
    role: 'Rôle',
    create: 'Créer l’utilisateur',
    created: (email: string) => `${email} peut désormais se connecter.`,
  },
)

export function NewUser({ close }: { close: () => void }) {
  const t = useWords(texts)
  const words = useWords(roleWords)
  const reason = useReason()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const create = async (event: SubmitEvent) => {
    event.preventDefault()
    const said = new FormData(event.currentTarget as HTMLFormElement)
    setBusy(true)
    setError(undefined)
    try {
      const { email } = await ask('post', '/users', {
        body: {
          email: String(said.get('email')),
          password: String(said.get('password')),
          role: said.get('role') as Role,
        },
      })
      await forget('/users', '/audit')
      tell(t.created(email))
      close()
    } catch (refusal) {
      setError(refusal)
      setBusy(false)
    }
  }
  const taken = error instanceof Problem && error.status === 409
  const unfitEmail = fieldError(error, 'email') && (taken ? t.taken : t.unfitEmail)
  const unfitPassword = fieldError(error, 'password') && t.rule
  return (
    <Dialog title={t.title} close={close}>
      <form class="stack" onSubmit={create}>
        <Field label={t.email} error={unfitEmail}>
          {(attributes) => <input {...attributes} name="email" type="email" autocomplete="off" required autofocus />}
        </Field>
        <Field label={t.password} hint={t.rule} error={unfitPassword}>
          {(attributes) => (
            <input
              {...attributes}
              name="password"
              type="password"
              autocomplete="new-password"
              minLength={SHORTEST_PASSWORD}
              maxLength={LONGEST_PASSWORD}
              required
            />
          )}
        </Field>
        <fieldset>
          <legend>{t.role}</legend>
          {roles.map((role) => (
            <label key={role} class="check choice">
              <input type="radio" name="role" value={role} defaultChecked={role === 'admin'} />
              <span>
                {words.name[role]} <span class="hint">{words.may[role]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {error !== undefined && !unfitEmail && !unfitPassword && (
          <p class="error" role="alert">
            {reason(error)}
          </p>
        )}
        <footer>
          <button type="submit" class="button main" disabled={busy}>
            {t.create}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
