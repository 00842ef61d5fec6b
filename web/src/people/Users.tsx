import { useInfiniteQuery } from '@tanstack/preact-query'
import { useState } from 'preact/hooks'
import { joinPages } from '../api/changes'
import type { Schemas } from '../api/client'
import { pages } from '../api/queries'
import { Icon } from '../ui/icons'
import { Failure, Moment, More, Skeleton } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { NewUser } from './NewUser'
import { roleWords } from './roles'
import { UserSettings } from './UserSettings'

const texts = bilingual(
  {
    title: 'Users',
    create: 'Create a user',
    email: 'E-mail address',
    role: 'Role',
    state: 'Access',
    active: 'May log in',
    disabled: 'Disabled',
    you: 'You',
    since: 'Since',
    manage: 'Manage',
    actions: 'What can be done',
  },
  {
    title: 'Utilisateurs',
    create: 'Créer un utilisateur',
    email: 'Adresse e-mail',
    role: 'Rôle',
    state: 'Accès',
    active: 'Peut se connecter',
    disabled: 'Désactivé',
    you: 'Vous',
    since: 'Depuis',
    manage: 'Gérer',
    actions: 'Ce qu’on peut faire',
  },
)

/** Everybody who may log in, for those who decide about it. */
export function Users({ me }: { me: Schemas['User'] }) {
  const t = useWords(texts)
  const list = useInfiniteQuery({ ...pages('/users', { params: { query: { limit: 200 } } }), staleTime: 5_000 })
  const { items } = joinPages(list.data?.pages)
  const [creating, setCreating] = useState(false)
  const [managed, setManaged] = useState<string>()
  const user = items.find((one) => one.id === managed)
  return (
    <section class="card" aria-label={t.title}>
      <header class="section-head">
        <h2>{t.title}</h2>
        <button type="button" class="button" onClick={() => setCreating(true)}>
          <Icon name="plus" />
          {t.create}
        </button>
      </header>
      {list.data ? (
        <UserTable users={items} me={me} manage={setManaged} />
      ) : list.error ? (
        <Failure error={list.error} again={list.refetch} />
      ) : (
        <Skeleton lines={3} height={44} />
      )}
      <More list={list} />
      {creating && <NewUser close={() => setCreating(false)} />}
      {user && <UserSettings user={user} isMe={user.id === me.id} close={() => setManaged(undefined)} />}
    </section>
  )
}

function UserTable(props: { users: Schemas['User'][]; me: Schemas['User']; manage: (id: string) => void }) {
  const t = useWords(texts)
  const role = useWords(roleWords)
  return (
    <table class="list">
      <thead>
        <tr>
          <th scope="col">{t.email}</th>
          <th scope="col">{t.role}</th>
          <th scope="col">{t.state}</th>
          <th scope="col">{t.since}</th>
          <th scope="col">
            <span class="unseen">{t.actions}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {props.users.map((user) => (
          <tr key={user.id}>
            <td>
              <span class="row">
                <span class="strong named">{user.email}</span>
                {user.id === props.me.id && <span class="badge good">{t.you}</span>}
              </span>
            </td>
            <td data-name={t.role} class="whole">
              {role.name[user.role]}
            </td>
            <td data-name={t.state} class="whole">
              {user.disabled_at ? <span class="badge bad">{t.disabled}</span> : <span>{t.active}</span>}
            </td>
            <td data-name={t.since}>
              <Moment at={user.disabled_at ?? user.created_at} />
            </td>
            <td class="right">
              <button
                type="button"
                class="button"
                aria-label={`${t.manage}\u00a0: ${user.email}`}
                onClick={() => props.manage(user.id)}
              >
                {t.manage}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
