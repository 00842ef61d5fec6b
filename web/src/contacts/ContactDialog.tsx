import { useState } from 'preact/hooks'
import { temporaryID } from '../api/changes'
import { Problem } from '../api/client'
import { useCategories } from '../categories/useCategories'
import { Dialog } from '../ui/dialog'
import { Field, fieldError } from '../ui/field'
import { useReason } from '../ui/parts'
import { useAnswers } from '../words/answers'
import { bilingual, useWords } from '../words/language'
import { type Attribute, AttributeRows } from './AttributeRows'
import { Country } from './Country'
import { usualCountry } from './countries'
import type { Contact } from './kind'

const texts = bilingual(
  {
    create: 'New contact',
    edit: 'Edit contact',
    phone: 'Phone number',
    country: 'Country, if it has no code',
    name: 'Name',
    categories: 'Categories',
    none: 'There are no categories yet.',
    twice: (name: string) => `There are two variables called ${name}.`,
    nameless: 'A variable needs a name.',
    cancel: 'Cancel',
    add: 'Create contact',
    save: 'Save',
  },
  {
    create: 'Nouveau contact',
    edit: 'Modifier le contact',
    phone: 'Numéro de téléphone',
    country: "Pays, s'il n'a pas d'indicatif",
    name: 'Nom',
    categories: 'Catégories',
    none: "Il n'y a pas encore de catégorie.",
    twice: (name: string) => `Deux variables s'appellent ${name}.`,
    nameless: "Il manque le nom d'une variable.",
    cancel: 'Annuler',
    add: 'Créer le contact',
    save: 'Enregistrer',
  },
)

/** A contact of whom nothing is known yet. */
export function nobody(categoryIDs: string[] = []): Contact {
  const now = new Date().toISOString()
  return {
    id: temporaryID(),
    phone: '',
    country: usualCountry(),
    name: '',
    attributes: {},
    category_ids: categoryIDs,
    opted_out_at: null,
    created_at: now,
    updated_at: now,
  }
}

/** What is known of a contact, to be filled in. */
export function ContactDialog(props: {
  contact: Contact
  isNew?: boolean
  /** why the server refused what is shown */
  error?: unknown
  busy?: boolean
  save: (contact: Contact) => void
  close: () => void
}) {
  const t = useWords(texts)
  const reason = useReason()
  const answer = useAnswers()
  const [contact, setContact] = useState(props.contact)
  const [rows, setRows] = useState<Attribute[]>(
    Object.entries(props.contact.attributes).map(([name, value]) => ({ name, value })),
  )
  const [wrong, setWrong] = useState<string>()
  const set = (change: Partial<Contact>) => setContact((before) => ({ ...before, ...change }))

  const refused = (name: string) => {
    const error = fieldError(props.error, name)
    return error && answer(error)
  }
  const refusedAttribute =
    props.error instanceof Problem
      ? Object.entries(props.error.fields).find(([place]) => place.startsWith('body.attributes'))?.[1]
      : undefined
  const phoneError = refused('phone') ?? refused('country')
  const elsewhere = props.error !== undefined && !phoneError && !refused('name') && !refusedAttribute

  const save = (event: SubmitEvent) => {
    event.preventDefault()
    const filled = rows
      .map(({ name, value }) => ({ name: name.trim(), value: value.trim() }))
      .filter(({ name, value }) => name || value)
    const names = filled.map(({ name }) => name)
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (names.includes('')) return setWrong(t.nameless)
    if (twice) return setWrong(t.twice(twice))
    props.save({ ...contact, attributes: Object.fromEntries(filled.map(({ name, value }) => [name, value])) })
  }

  return (
    <Dialog title={props.isNew ? t.create : t.edit} close={props.close}>
      <form class="form" onSubmit={save}>
        <div class="stack">
          <div class="phone">
            <Field label={t.phone} error={phoneError}>
              {(attributes) => (
                <input
                  {...attributes}
                  autofocus
                  type="tel"
                  autocomplete="off"
                  placeholder="+33 6 39 98 00 01"
                  required
                  value={contact.phone}
                  onInput={(event) => set({ phone: event.currentTarget.value })}
                />
              )}
            </Field>
            <Field label={t.country}>
              {({ id }) => <Country id={id} value={contact.country ?? ''} choose={(country) => set({ country })} />}
            </Field>
          </div>
          <Field label={t.name} error={refused('name')}>
            {(attributes) => (
              <input
                {...attributes}
                autocomplete="off"
                value={contact.name}
                onInput={(event) => set({ name: event.currentTarget.value })}
              />
            )}
          </Field>
          <Memberships chosen={contact.category_ids} choose={(ids) => set({ category_ids: ids })} />
          <AttributeRows
            rows={rows}
            change={(changed) => {
              setRows(changed)
              setWrong(undefined)
            }}
            error={wrong ?? (refusedAttribute && answer(refusedAttribute))}
          />
          {elsewhere && (
            <p class="error" role="alert">
              {reason(props.error)}
            </p>
          )}
        </div>
        <footer>
          <button type="button" class="button" onClick={props.close}>
            {t.cancel}
          </button>
          <button type="submit" class="button main" disabled={props.busy}>
            {props.isNew ? t.add : t.save}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}

function Memberships({ chosen, choose }: { chosen: string[]; choose: (ids: string[]) => void }) {
  const t = useWords(texts)
  const { items } = useCategories()
  return (
    <fieldset>
      <legend>{t.categories}</legend>
      {items.length === 0 && <p class="hint">{t.none}</p>}
      <div class="memberships">
        {items.map(({ id, name }) => (
          <label key={id} class="check">
            <input
              type="checkbox"
              checked={chosen.includes(id)}
              onChange={(event) =>
                choose(event.currentTarget.checked ? [...chosen, id] : chosen.filter((other) => other !== id))
              }
            />
            {name}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
