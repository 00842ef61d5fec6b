import type { Kind } from '../api/changes'
import type { Schemas } from '../api/client'
import { samePhone } from './phone'

/** A contact, or what somebody has typed of one, with the country of a number without its code. */
export type Contact = Schemas['Contact'] & { country?: string }

export const contacts: Kind<Contact> = {
  path: '/contacts',
  besides: ['/categories'],
  same: (listed, created) => samePhone(listed.phone, created.phone),
  belongs: (contact, { q, category_id: category, opted_out: optedOut }) =>
    (!category || contact.category_ids.includes(String(category))) &&
    (!optedOut || (contact.opted_out_at !== null) === (optedOut === 'true')) &&
    (!q || found(contact, String(q).trim())),
}

function found(contact: Contact, q: string): boolean {
  if (contact.name.toLowerCase().includes(q.toLowerCase())) return true
  const digits = q.replace(/[\s().+/-]/g, '').replace(/^0+/, '')
  return /^\d+$/.test(digits) && contact.phone.replace(/\D/g, '').includes(digits)
}
