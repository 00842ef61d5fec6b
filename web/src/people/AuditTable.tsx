import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { Moment } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { type Action, actionWords, subjectLink } from './actions'
import { type Role, roleWords } from './roles'

const texts = bilingual(
  {
    when: 'When',
    who: 'Who',
    what: 'What',
    unknownAddress: 'Unknown address',
    tried: 'Tried to log in',
    refused: 'Refused',
    unknown: 'Not known whether it was done',
    contacts: (n: string, one: boolean) => (one ? '1 contact' : `${n} contacts`),
    retried: (n: string, one: boolean) => (one ? '1 send' : `${n} sends`),
    ended: (n: string, one: boolean) => (one ? '1 session' : `${n} sessions`),
    password: 'new password',
    disabled: 'disabled',
    enabled: 'enabled again',
    show: 'Show',
  },
  {
    when: 'Quand',
    who: 'Qui',
    what: 'Quoi',
    unknownAddress: 'Adresse inconnue',
    tried: 'Tentative de connexion',
    refused: 'Refusée',
    unknown: 'On ignore si cela a été fait',
    contacts: (n: string, one: boolean) => (one ? '1 contact' : `${n} contacts`),
    retried: (n: string, one: boolean) => (one ? '1 envoi' : `${n} envois`),
    ended: (n: string, one: boolean) => (one ? '1 session' : `${n} sessions`),
    password: 'nouveau mot de passe',
    disabled: 'désactivé',
    enabled: 'réactivé',
    show: 'Voir',
  },
)

export function AuditTable(props: { entries: Schemas['Audit'][]; emails: ReadonlyMap<string, string> }) {
  const t = useWords(texts)
  return (
    <table class="list audit">
      <thead>
        <tr>
          <th scope="col">{t.when}</th>
          <th scope="col">{t.who}</th>
          <th scope="col">{t.what}</th>
        </tr>
      </thead>
      <tbody>
        {props.entries.map((entry) => (
          <Entry key={entry.id} entry={entry} emails={props.emails} />
        ))}
      </tbody>
    </table>
  )
}

function Entry({ entry, emails }: { entry: Schemas['Audit']; emails: ReadonlyMap<string, string> }) {
  const t = useWords(texts)
  const words = useWords(actionWords)
  const details = useDetails()
  const { action, subject_id, outcome } = entry
  const link = subjectLink(action, subject_id)
  const about = action === 'post-users' || action === 'patch-users-id' ? emails.get(subject_id ?? '') : undefined
  const more = [about, ...details(entry.details)].filter(Boolean).join(', ')
  return (
    <tr>
      <td data-name={t.when} class="number when">
        <Moment at={entry.at} />
      </td>
      <td data-name={t.who} class="named who-did">
        {entry.user_email ?? <span class="muted">{t.unknownAddress}</span>}
      </td>
      <td data-name={t.what} class="what">
        <span class="done">
          <span>{outcome === 'refused' ? t.tried : (words.action[action as Action] ?? action)}</span>
          {more && <span class="muted named">{more}</span>}
          {outcome === 'refused' && <span class="badge bad">{t.refused}</span>}
          {outcome === 'unknown' && <span class="badge warn">{t.unknown}</span>}
          {link && <Link href={link}>{t.show}</Link>}
        </span>
      </td>
    </tr>
  )
}

/** What the log notes of a change beside its name. */
function useDetails() {
  const t = useWords(texts)
  const role = useWords(roleWords)
  const format = useFormat()
  return (details: unknown): (string | false)[] => {
    const noted = (details ?? {}) as {
      contacts?: number
      retried?: number
      ended?: number
      role?: Role
      disabled?: boolean
      password?: boolean
    }
    const counted = (words: (n: string, one: boolean) => string, n: number | undefined) =>
      n !== undefined && words(format.number(n), n === 1)
    return [
      counted(t.contacts, noted.contacts),
      counted(t.retried, noted.retried),
      counted(t.ended, noted.ended),
      noted.role !== undefined && role.name[noted.role],
      noted.disabled !== undefined && (noted.disabled ? t.disabled : t.enabled),
      noted.password === true && t.password,
    ]
  }
}
