import { useCallback, useMemo } from 'preact/hooks'
import { Link } from 'wouter-preact'
import { isTemporary } from '../api/changes'
import type { Category } from '../categories/kind'
import { Moment } from '../ui/parts'
import { bilingual, useLanguage, useWords } from '../words/language'
import { ContactActions } from './ContactActions'
import type { Contact } from './kind'
import { readablePhone } from './phone'
import { called } from './useContactChanges'

const texts = bilingual(
  {
    caption: 'Contacts',
    select: 'Select',
    selectAll: 'Select all that are shown',
    selectOne: (who: string) => `Select ${who}`,
    name: 'Name',
    nameless: 'No name',
    phone: 'Phone',
    categories: 'Categories',
    known: 'Variables',
    is: (name: string, value: string) => `${name}: ${value}`,
    more: (n: number) => `and ${n} more`,
    actions: 'Actions',
    optedOut: 'Opted out',
    underWay: 'Being created…',
  },
  {
    caption: 'Contacts',
    select: 'Sélection',
    selectAll: 'Sélectionner tous ceux qui sont affichés',
    selectOne: (who: string) => `Sélectionner ${who}`,
    name: 'Nom',
    nameless: 'Sans nom',
    phone: 'Téléphone',
    categories: 'Catégories',
    known: 'Variables',
    is: (name: string, value: string) => `${name}\u00a0: ${value}`,
    more: (n: number) => `et ${n} de plus`,
    actions: 'Actions',
    optedOut: 'Désinscrit',
    underWay: 'En cours de création…',
  },
)

export function ContactTable(props: {
  contacts: Contact[]
  categories: Category[]
  selected: Set<string>
  select: (change: (ids: Set<string>) => Set<string>) => void
  remove: (contact: Contact) => void
  busy: boolean
}) {
  const t = useWords(texts)
  const { select } = props
  const toggle = useCallback(
    (id: string) =>
      select((before) => {
        const after = new Set(before)
        if (!after.delete(id)) after.add(id)
        return after
      }),
    [select],
  )
  const ids = props.contacts.map(({ id }) => id).filter((id) => !isTemporary(id))
  const all = ids.length > 0 && ids.every((id) => props.selected.has(id))
  return (
    <table class="list contacts" aria-busy={props.busy || undefined}>
      <caption class="unseen">{t.caption}</caption>
      <thead>
        <tr>
          <th class="tick" scope="col">
            <input
              type="checkbox"
              aria-label={t.selectAll}
              checked={all}
              onChange={() => select(() => new Set(all ? [] : ids))}
            />
          </th>
          <th scope="col">{t.name}</th>
          <th scope="col">{t.phone}</th>
          <th scope="col">{t.categories}</th>
          <th scope="col">{t.known}</th>
          <th scope="col">
            <span class="unseen">{t.actions}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {props.contacts.map((contact) => (
          <Row
            key={contact.id}
            contact={contact}
            categories={props.categories}
            selected={props.selected.has(contact.id)}
            toggle={toggle}
            remove={props.remove}
          />
        ))}
      </tbody>
    </table>
  )
}

type RowOf = {
  contact: Contact
  categories: Category[]
  selected: boolean
  toggle: (id: string) => void
  remove: (contact: Contact) => void
}

/** A row is drawn anew only when it has changed: that keeps long lists quick (Property 3). */
function Row(props: RowOf) {
  const { contact, categories, selected, toggle, remove } = props
  const { language } = useLanguage()
  return useMemo(() => <Drawn {...props} />, [contact, categories, selected, toggle, remove, language])
}

function Drawn({ contact, categories, selected, toggle, remove }: RowOf) {
  const t = useWords(texts)
  const waits = isTemporary(contact.id)
  return (
    <tr aria-busy={waits || undefined}>
      <td class="tick" data-name={t.select}>
        <input
          type="checkbox"
          aria-label={t.selectOne(called(contact))}
          disabled={waits}
          checked={selected}
          onChange={() => toggle(contact.id)}
        />
      </td>
      <td class="name" data-name={t.name}>
        <span class="row">
          {waits ? (
            <span>{called(contact)}</span>
          ) : (
            <Link href={`/contacts/${contact.id}`}>{contact.name || t.nameless}</Link>
          )}
          {contact.opted_out_at && (
            <span class="badge warn">
              {t.optedOut} <Moment at={contact.opted_out_at} />
            </span>
          )}
        </span>
      </td>
      <td class="number" data-name={t.phone}>
        {readablePhone(contact.phone)}
      </td>
      <td data-name={t.categories}>
        <CategoryLinks ids={contact.category_ids} categories={categories} />
      </td>
      <td data-name={t.known} class="muted">
        <Known attributes={contact.attributes} />
      </td>
      <td class="doings">
        {waits ? (
          <span class="muted">{t.underWay}</span>
        ) : (
          <span class="icons">
            <ContactActions bare contact={contact} remove={remove} />
          </span>
        )}
      </td>
    </tr>
  )
}

/** The categories of a contact, each leading to its contacts. */
export function CategoryLinks({ ids, categories }: { ids: string[]; categories: Category[] }) {
  const named = categories.filter(({ id }) => ids.includes(id))
  if (named.length === 0) return null
  return (
    <span class="tags">
      {named.map(({ id, name }) => (
        <Link key={id} class="tag" href={`/contacts?category_id=${id}`}>
          {name}
        </Link>
      ))}
    </span>
  )
}

const SHOWN = 2

function Known({ attributes }: { attributes: Record<string, string> }) {
  const t = useWords(texts)
  const known = Object.entries(attributes).map(([name, value]) => t.is(name, value))
  if (known.length === 0) return null
  return (
    <span class="known" title={known.join('\n')}>
      {known.slice(0, SHOWN).join(' · ')}
      {known.length > SHOWN && ` ${t.more(known.length - SHOWN)}`}
    </span>
  )
}
