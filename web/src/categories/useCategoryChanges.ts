import { type Change, temporaryID, useChange } from '../api/changes'
import { ask, idempotencyKey, Problem } from '../api/client'
import { useReason } from '../ui/parts'
import { tell } from '../ui/toast'
import { bilingual, useWords } from '../words/language'
import { type Category, categories } from './kind'

const texts = bilingual(
  {
    notCreated: (name: string, why: string) => `The category ${name} was not created: ${why}`,
    notDeleted: (name: string, why: string) => `The category ${name} was not deleted and is back in the list: ${why}`,
  },
  {
    notCreated: (name: string, why: string) => `La catégorie ${name} n'a pas été créée\u00a0: ${why}`,
    notDeleted: (name: string, why: string) =>
      `La catégorie ${name} n'a pas été supprimée et figure de nouveau dans la liste\u00a0: ${why}`,
  },
)

/** Creates and deletes categories: every list shows it at once, and takes it back with a word if it is refused. */
export function useCategoryChanges() {
  const t = useWords(texts)
  const reason = useReason()
  const { mutate } = useChange(categories, request, (error, change) => {
    if (change.kind === 'create') tell(t.notCreated(change.item.name, reason(error)), true)
    else tell(t.notDeleted(change.name ?? '', reason(error)), true)
  })
  return {
    create: (name: string) =>
      mutate({
        kind: 'create',
        item: { id: temporaryID(), name, contact_count: 0, created_at: new Date().toISOString() },
      }),
    remove: ({ id, name }: Category) => mutate({ kind: 'delete', id, name }),
  }
}

async function request(change: Change<Category>): Promise<Category | undefined> {
  if (change.kind === 'create')
    return ask('post', '/categories', { params: { header: idempotencyKey() }, body: { name: change.item.name } })
  try {
    await ask('delete', '/categories/{id}', { params: { path: { id: change.id } } })
  } catch (error) {
    // Somebody else was quicker.
    if (!(error instanceof Problem && error.status === 404)) throw error
  }
}
