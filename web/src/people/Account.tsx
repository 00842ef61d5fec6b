import { useQuery } from '@tanstack/preact-query'
import { useState } from 'preact/hooks'
import { useLocation } from 'wouter-preact'
import { ask, signedOut } from '../api/client'
import { one, queryClient } from '../api/queries'
import { Language, Theme } from '../Navigation'
import { Failure, Skeleton, Title, useReason } from '../ui/parts'
import { tell } from '../ui/toast'
import { bilingual, useWords } from '../words/language'
import { ChangePassword } from './ChangePassword'
import { roleWords } from './roles'
import { Sessions } from './Sessions'
import '../style/people.css'

const texts = bilingual(
  {
    title: 'Account',
    out: 'Log out',
    who: 'Who you are',
    email: 'E-mail address',
    role: 'Role',
    looks: 'Language and colours',
    remembered: 'This browser remembers both.',
    language: 'Language',
    theme: 'Colours',
  },
  {
    title: 'Compte',
    out: 'Se déconnecter',
    who: 'Qui vous êtes',
    email: 'Adresse e-mail',
    role: 'Rôle',
    looks: 'Langue et couleurs',
    remembered: 'Ce navigateur retient les deux.',
    language: 'Langue',
    theme: 'Couleurs',
  },
)

/** What belongs to the person who is logged in. */
export default function Account() {
  const t = useWords(texts)
  return (
    <div class="stack people">
      <Title aside={<LogOut />}>{t.title}</Title>
      <div class="columns">
        <div class="stack people">
          <Who />
          <Looks />
        </div>
        <ChangePassword />
      </div>
      <Sessions />
    </div>
  )
}

function LogOut() {
  const t = useWords(texts)
  const reason = useReason()
  const [, go] = useLocation()
  const [busy, setBusy] = useState(false)
  const leave = async () => {
    setBusy(true)
    try {
      await ask('post', '/auth/logout')
    } catch (refusal) {
      setBusy(false)
      return tell(reason(refusal), true)
    }
    queryClient.clear()
    go('/')
    signedOut.dispatchEvent(new Event('signedout'))
  }
  return (
    <button type="button" class="button" disabled={busy} onClick={leave}>
      {t.out}
    </button>
  )
}

function Who() {
  const t = useWords(texts)
  const role = useWords(roleWords)
  const me = useQuery(one('/auth/me'))
  return (
    <section class="card">
      <h2>{t.who}</h2>
      {me.data ? (
        <dl class="facts">
          <dt>{t.email}</dt>
          <dd>{me.data.email}</dd>
          <dt>{t.role}</dt>
          <dd>
            {role.name[me.data.role]}
            <p class="hint">{role.may[me.data.role]}</p>
          </dd>
        </dl>
      ) : me.error ? (
        <Failure error={me.error} again={me.refetch} />
      ) : (
        <Skeleton lines={2} height={34} />
      )}
    </section>
  )
}

function Looks() {
  const t = useWords(texts)
  return (
    <section class="card">
      <h2>{t.looks}</h2>
      <div class="pair">
        <div class="field">
          <span class="label">{t.language}</span>
          <Language />
        </div>
        <div class="field">
          <span class="label">{t.theme}</span>
          <Theme />
        </div>
      </div>
      <p class="hint">{t.remembered}</p>
    </section>
  )
}
