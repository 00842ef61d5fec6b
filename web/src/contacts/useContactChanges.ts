import { useCallback } from 'preact/hooks'
import { type Change, useChange } from '../api/changes'
import { ask, idempotencyKey, Problem } from '../api/client'
import { useReason } from '../ui/parts'
import { tell } from '../ui/toast'
import { bilingual, useWords } from '../words/language'
import { type Contact, contacts } from './kind'
import { readablePhone } from './phone'

const texts = bilingual(
  {
    notCreated: (who: string, why: string) => `${who} was not created: ${why}`,
    notDeleted: (who: string, why: string) => `${who} was not deleted and is back in the list: ${why}`,
    somebody: 'The contact',
  },
  {
    notCreated: (who: string, why: string) => `${who} n'a pas été créé\u00a0: ${why}`,
    notDeleted: (who: string, why: string) =>
      `${who} n'a pas été supprimé et figure de nouveau dans la liste\u00a0: ${why}`,
    somebody: 'Le contact',
  },
)

export const called = (contact: Contact) => contact.name || readablePhone(contact.phone)

/** Creates and deletes contacts: every list shows it at once, and takes it back with a word if it is refused. */
export function useContactChanges() {
  const t = useWords(texts)
  const reason = useReason()
  const { mutate } = useChange(contacts, request, (error, change) => {
    if (change.kind === 'create') tell(t.notCreated(called(change.item), reason(error)), true)
    else tell(t.notDeleted(change.name ?? t.somebody, reason(error)), true)
  })
  return {
    create: (contact: Contact) => mutate({ kind: 'create', item: contact }),
    remove: useCallback(
      (contact: Contact) => mutate({ kind: 'delete', id: contact.id, name: called(contact) }),
      [mutate],
    ),
  }
}

async function request(change: Change<Contact>): Promise<Contact | undefined> {
  if (change.kind === 'create') {
    const { phone, country, name, attributes, category_ids } = change.item
    return ask('post', '/contacts', {
      params: { header: idempotencyKey() },
      body: { phone, name, attributes, category_ids, ...(country ? { country } : {}) },
    })
  }
  try {
    await ask('delete', '/contacts/{id}', { params: { path: { id: change.id } } })
  } catch (error) {
    // Somebody else was quicker.
    if (!(error instanceof Problem && error.status === 404)) throw error
  }
}
