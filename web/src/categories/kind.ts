import type { Kind } from '../api/changes'
import type { Schemas } from '../api/client'

export type Category = Schemas['Category']

const plain = (name: string) => name.trim().toLowerCase()

export const categories: Kind<Category> = {
  path: '/categories',
  besides: ['/contacts'],
  same: (listed, created) => plain(listed.name) === plain(created.name),
  belongs: () => true,
  before: (created, listed) => created.name.localeCompare(listed.name) < 0,
}
