import type { Schemas } from '../api/client'
import { bilingual } from '../words/language'

export type Role = Schemas['User']['role']

export const roles: Role[] = ['admin', 'super_admin']

/** What a role is called, and what it may do. */
export const roleWords = bilingual(
  {
    name: { admin: 'Admin', super_admin: 'Super admin' } as Record<Role, string>,
    may: {
      admin: 'Runs campaigns and manages contacts.',
      super_admin: 'Like an admin, and manages the users too.',
    } as Record<Role, string>,
  },
  {
    name: { admin: 'Admin', super_admin: 'Super admin' } as Record<Role, string>,
    may: {
      admin: 'Mène les campagnes et gère les contacts.',
      super_admin: 'Comme un admin, et gère aussi les utilisateurs.',
    } as Record<Role, string>,
  },
)
