import { bilingual } from '../words/language'

/** What can be found in the audit log, in the order of its filter. */
export const actions = {
  people: [
    'post-auth-login',
    'post-auth-logout',
    'post-auth-password',
    'delete-auth-sessions',
    'delete-auth-sessions-id',
    'post-tokens',
    'delete-tokens-id',
    'post-users',
    'patch-users-id',
  ],
  campaigns: [
    'post-campaigns',
    'put-campaigns-id',
    'delete-campaigns-id',
    'post-campaigns-start',
    'post-campaigns-id-start',
    'post-campaigns-id-pause',
    'post-campaigns-id-resume',
    'post-campaigns-id-cancel',
    'post-campaigns-id-retry-failed',
    'post-campaigns-id-test-send',
  ],
  contacts: [
    'post-contacts',
    'put-contacts-id',
    'delete-contacts-id',
    'post-contacts-id-opt-out',
    'post-contacts-id-opt-in',
    'post-contacts-import',
    'post-categories',
    'put-categories-id',
    'delete-categories-id',
    'post-categories-id-contacts',
    'delete-categories-id-contacts',
  ],
} as const

export type Action = (typeof actions)[keyof typeof actions][number]

export const actionWords = bilingual<{ group: Record<keyof typeof actions, string>; action: Record<Action, string> }>(
  {
    group: { people: 'Users and access', campaigns: 'Campaigns', contacts: 'Contacts and categories' },
    action: {
      'post-auth-login': 'Logged in',
      'post-auth-logout': 'Logged out',
      'post-auth-password': 'Changed their password',
      'delete-auth-sessions': 'Ended their other sessions',
      'delete-auth-sessions-id': 'Ended one of their sessions',
      'post-tokens': 'Made an API token',
      'delete-tokens-id': 'Revoked an API token',
      'post-users': 'Created a user',
      'patch-users-id': 'Changed a user',
      'post-campaigns': 'Drafted a campaign',
      'put-campaigns-id': 'Changed a campaign',
      'delete-campaigns-id': 'Deleted a campaign',
      'post-campaigns-start': 'Launched a new campaign',
      'post-campaigns-id-start': 'Launched a draft',
      'post-campaigns-id-pause': 'Paused a campaign',
      'post-campaigns-id-resume': 'Resumed a campaign',
      'post-campaigns-id-cancel': 'Cancelled a campaign',
      'post-campaigns-id-retry-failed': 'Tried failed sends again',
      'post-campaigns-id-test-send': 'Sent a test message',
      'post-contacts': 'Created a contact',
      'put-contacts-id': 'Changed a contact',
      'delete-contacts-id': 'Deleted a contact',
      'post-contacts-id-opt-out': 'Opted a contact out',
      'post-contacts-id-opt-in': 'Allowed messages to a contact again',
      'post-contacts-import': 'Imported contacts',
      'post-categories': 'Created a category',
      'put-categories-id': 'Renamed a category',
      'delete-categories-id': 'Deleted a category',
      'post-categories-id-contacts': 'Put contacts into a category',
      'delete-categories-id-contacts': 'Took contacts out of a category',
    },
  },
  {
    group: { people: 'Utilisateurs et accès', campaigns: 'Campagnes', contacts: 'Contacts et catégories' },
    action: {
      'post-auth-login': 'Connexion',
      'post-auth-logout': 'Déconnexion',
      'post-auth-password': 'Mot de passe changé',
      'delete-auth-sessions': 'Autres sessions fermées',
      'delete-auth-sessions-id': 'Session fermée',
      'post-tokens': 'Jeton d’API créé',
      'delete-tokens-id': 'Jeton d’API révoqué',
      'post-users': 'Utilisateur créé',
      'patch-users-id': 'Utilisateur modifié',
      'post-campaigns': 'Brouillon de campagne créé',
      'put-campaigns-id': 'Campagne modifiée',
      'delete-campaigns-id': 'Campagne supprimée',
      'post-campaigns-start': 'Nouvelle campagne lancée',
      'post-campaigns-id-start': 'Brouillon lancé',
      'post-campaigns-id-pause': 'Campagne mise en pause',
      'post-campaigns-id-resume': 'Campagne reprise',
      'post-campaigns-id-cancel': 'Campagne annulée',
      'post-campaigns-id-retry-failed': 'Échecs réessayés',
      'post-campaigns-id-test-send': 'Message de test envoyé',
      'post-contacts': 'Contact créé',
      'put-contacts-id': 'Contact modifié',
      'delete-contacts-id': 'Contact supprimé',
      'post-contacts-id-opt-out': 'Contact désinscrit',
      'post-contacts-id-opt-in': 'Contact de nouveau joignable',
      'post-contacts-import': 'Contacts importés',
      'post-categories': 'Catégorie créée',
      'put-categories-id': 'Catégorie renommée',
      'delete-categories-id': 'Catégorie supprimée',
      'post-categories-id-contacts': 'Contacts ajoutés à une catégorie',
      'delete-categories-id-contacts': 'Contacts retirés d’une catégorie',
    },
  },
)

/** Where what was changed can be seen; undefined where it is gone or has no screen. */
export function subjectLink(action: string, subject: string | null): string | undefined {
  if (!subject || action === 'delete-campaigns-id' || action === 'delete-contacts-id') return undefined
  if (action === 'post-contacts-import') return `/contacts/imports/${subject}`
  const kind = /^\w+-(campaigns|contacts)\b/.exec(action)?.[1]
  return kind && `/${kind}/${subject}`
}
