import { Link } from 'wouter-preact'
import { ask, Problem, type Schemas } from '../api/client'
import { forget } from '../api/queries'
import { Confirmed, Dialog } from '../ui/dialog'
import { bilingual, useWords } from '../words/language'
import { roleWords } from './roles'
import { SetPassword } from './SetPassword'
import { TokenList } from './TokenList'

const texts = bilingual(
  {
    role: 'Role',
    become: (role: string) => `Make ${role.toLowerCase()}`,
    becomeTitle: (email: string, role: string) => `Make ${email} ${role.toLowerCase()}?`,
    last: 'Nobody would be left who manages users: make somebody else super admin first.',
    access: 'Access',
    may: 'May log in and use the API.',
    mayNot: 'Disabled: cannot log in, and API tokens open nothing.',
    disable: 'Disable',
    disableTitle: (email: string) => `Disable ${email}?`,
    disableWhat:
      'The user is logged out everywhere at once, and their API tokens open nothing until they are enabled again. Running campaigns go on.',
    enable: 'Enable again',
    enableTitle: (email: string) => `Enable ${email} again?`,
    enableWhat: 'The user may log in again, and their API tokens work again.',
    tokens: 'API tokens',
    none: 'No token',
    did: 'What they did',
    you: 'This is you. Another super admin can change your role or disable you; your password is under Account.',
    account: 'To your account',
  },
  {
    role: 'Rôle',
    become: (role: string) => `Nommer ${role.toLowerCase()}`,
    becomeTitle: (email: string, role: string) => `Nommer ${email} ${role.toLowerCase()}\u00a0?`,
    last: 'Il ne resterait personne pour gérer les utilisateurs\u00a0: nommez d’abord un autre super admin.',
    access: 'Accès',
    may: 'Peut se connecter et utiliser l’API.',
    mayNot: 'Désactivé\u00a0: ne peut pas se connecter, et ses jetons d’API n’ouvrent rien.',
    disable: 'Désactiver',
    disableTitle: (email: string) => `Désactiver ${email}\u00a0?`,
    disableWhat:
      'L’utilisateur est aussitôt déconnecté partout, et ses jetons d’API n’ouvrent plus rien jusqu’à sa réactivation. Les campagnes en cours continuent.',
    enable: 'Réactiver',
    enableTitle: (email: string) => `Réactiver ${email}\u00a0?`,
    enableWhat: 'L’utilisateur peut de nouveau se connecter, et ses jetons d’API refonctionnent.',
    tokens: 'Jetons d’API',
    none: 'Aucun jeton',
    did: 'Ce qu’il ou elle a fait',
    you: 'C’est vous. Un autre super admin peut changer votre rôle ou vous désactiver\u00a0; votre mot de passe se trouve sous Compte.',
    account: 'Vers votre compte',
  },
)

/** What a super_admin decides about a user. */
export function UserSettings({ user, isMe, close }: { user: Schemas['User']; isMe: boolean; close: () => void }) {
  const t = useWords(texts)
  const words = useWords(roleWords)
  const change = async (body: Schemas['ChangeUserInputBody']) => {
    try {
      await ask('patch', '/users/{id}', { params: { path: { id: user.id } }, body })
    } catch (refusal) {
      throw refusal instanceof Problem && refusal.status === 409 ? new Problem(409, { detail: t.last }) : refusal
    }
    await forget('/users', '/audit')
  }
  const show = () => {
    close()
    document.getElementById('audit')?.scrollIntoView()
  }
  const other = user.role === 'admin' ? 'super_admin' : 'admin'
  return (
    <Dialog title={user.email} close={close}>
      <div class="settings">
        {isMe ? (
          <section>
            <p class="notice">{t.you}</p>
            <p>
              <Link href="/account">{t.account}</Link>
            </p>
          </section>
        ) : (
          <>
            <section class="setting">
              <div>
                <h3>{t.role}</h3>
                <p>
                  {words.name[user.role]} <span class="hint">{words.may[user.role]}</span>
                </p>
              </div>
              <Confirmed
                label={t.become(words.name[other])}
                title={t.becomeTitle(user.email, words.name[other])}
                confirm={t.become(words.name[other])}
                run={() => change({ role: other })}
                harmless
              >
                <p>{words.may[other]}</p>
              </Confirmed>
            </section>
            <section class="setting">
              <div>
                <h3>{t.access}</h3>
                <p>{user.disabled_at ? t.mayNot : t.may}</p>
              </div>
              {user.disabled_at ? (
                <Confirmed
                  key="enable"
                  label={t.enable}
                  title={t.enableTitle(user.email)}
                  confirm={t.enable}
                  run={() => change({ disabled: false })}
                  harmless
                >
                  <p>{t.enableWhat}</p>
                </Confirmed>
              ) : (
                <Confirmed
                  key="disable"
                  label={t.disable}
                  title={t.disableTitle(user.email)}
                  confirm={t.disable}
                  run={() => change({ disabled: true })}
                >
                  <p>{t.disableWhat}</p>
                </Confirmed>
              )}
            </section>
            <SetPassword set={(password) => change({ password })} />
          </>
        )}
        <section>
          <h3>{t.tokens}</h3>
          <TokenList userID={user.id} none={t.none} />
        </section>
        <p>
          <Link href={`/people?user=${user.id}`} onClick={show}>
            {t.did}
          </Link>
        </p>
      </div>
    </Dialog>
  )
}
