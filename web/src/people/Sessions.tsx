import { useQuery } from '@tanstack/preact-query'
import { ask, type Schemas } from '../api/client'
import { forget, one } from '../api/queries'
import { Confirmed } from '../ui/dialog'
import { Failure, Moment, Skeleton } from '../ui/parts'
import { tell } from '../ui/toast'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { browserName } from './browserName'

const texts = bilingual(
  {
    title: 'Where you are logged in',
    browser: 'Browser',
    on: (browser: string, system: string) => `${browser} on ${system}`,
    unnamed: 'Unknown browser',
    this: 'This browser',
    since: 'Logged in',
    used: 'Last used',
    until: 'Ends',
    end: 'End',
    endTitle: 'End this session?',
    endWhat: (browser: string) => `${browser} is logged out at once. Whoever uses it has to log in again.`,
    endConfirm: 'End the session',
    endAll: 'End all others',
    endAllTitle: 'End all your other sessions?',
    endAllWhat: (n: string, one: boolean) =>
      one
        ? '1 other browser is logged out at once. This one stays logged in; API tokens stay valid.'
        : `${n} other browsers are logged out at once. This one stays logged in; API tokens stay valid.`,
    endAllConfirm: 'End the others',
    ended: (n: string, one: boolean) => (one ? '1 session is ended.' : `${n} sessions are ended.`),
    actions: 'What can be done',
  },
  {
    title: 'Où vous êtes connecté',
    browser: 'Navigateur',
    on: (browser: string, system: string) => `${browser} sur ${system}`,
    unnamed: 'Navigateur inconnu',
    this: 'Ce navigateur',
    since: 'Connecté',
    used: 'Dernière activité',
    until: 'Expire',
    end: 'Fermer',
    endTitle: 'Fermer cette session\u00a0?',
    endWhat: (browser: string) => `${browser} est déconnecté aussitôt. La personne qui l’utilise devra se reconnecter.`,
    endConfirm: 'Fermer la session',
    endAll: 'Fermer toutes les autres',
    endAllTitle: 'Fermer toutes vos autres sessions\u00a0?',
    endAllWhat: (n: string, one: boolean) =>
      one
        ? '1 autre navigateur est déconnecté aussitôt. Celui-ci reste connecté\u00a0; les jetons d’API restent valables.'
        : `${n} autres navigateurs sont déconnectés aussitôt. Celui-ci reste connecté\u00a0; les jetons d’API restent valables.`,
    endAllConfirm: 'Fermer les autres',
    ended: (n: string, one: boolean) => (one ? '1 session est fermée.' : `${n} sessions sont fermées.`),
    actions: 'Ce qu’on peut faire',
  },
)

/** The browsers that one is logged in with, this one first. */
export function Sessions() {
  const t = useWords(texts)
  const format = useFormat()
  const sessions = useQuery({ ...one('/auth/sessions'), staleTime: 5_000 })
  const items = [...(sessions.data?.items ?? [])].sort((a, b) => Number(b.current) - Number(a.current))
  const others = items.filter((session) => !session.current).length
  const endOthers = async () => {
    const { ended } = await ask('delete', '/auth/sessions')
    await forget('/auth/sessions')
    tell(t.ended(format.number(ended), ended <= 1))
  }
  return (
    <section class="card" aria-label={t.title} data-ready={sessions.data ? true : undefined}>
      <header class="section-head">
        <h2>{t.title}</h2>
        {others > 0 && (
          <Confirmed label={t.endAll} title={t.endAllTitle} confirm={t.endAllConfirm} run={endOthers}>
            <p>{t.endAllWhat(format.number(others), others === 1)}</p>
          </Confirmed>
        )}
      </header>
      {sessions.data ? (
        <table class="list">
          <thead>
            <tr>
              <th scope="col">{t.browser}</th>
              <th scope="col">{t.since}</th>
              <th scope="col">{t.used}</th>
              <th scope="col">{t.until}</th>
              <th scope="col">
                <span class="unseen">{t.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((session) => (
              <SessionRow key={session.id} session={session} />
            ))}
          </tbody>
        </table>
      ) : sessions.error ? (
        <Failure error={sessions.error} again={sessions.refetch} />
      ) : (
        <Skeleton lines={3} height={44} />
      )}
    </section>
  )
}

function SessionRow({ session }: { session: Schemas['Session'] }) {
  const t = useWords(texts)
  const { browser = t.unnamed, system } = browserName(session.agent)
  const name = system ? t.on(browser, system) : browser
  const end = async () => {
    await ask('delete', '/auth/sessions/{id}', { params: { path: { id: session.id } } })
    await forget('/auth/sessions')
  }
  return (
    <tr>
      <td>
        <span class="row" title={session.agent}>
          <span class="strong">{name}</span>
          {session.current && <span class="badge good">{t.this}</span>}
        </span>
      </td>
      <td data-name={t.since}>
        <Moment at={session.created_at} />
      </td>
      <td data-name={t.used}>
        <Moment at={session.last_used_at} />
      </td>
      <td data-name={t.until}>
        <Moment at={session.expires_at} />
      </td>
      <td class="right">
        {!session.current && (
          <Confirmed label={t.end} title={t.endTitle} confirm={t.endConfirm} run={end}>
            <p>{t.endWhat(name)}</p>
          </Confirmed>
        )}
      </td>
    </tr>
  )
}
