import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation } from 'wouter-preact'
import { ask, idempotencyKey } from '../api/client'
import { forget } from '../api/queries'
import { Field, fieldError } from '../ui/field'
import { Meter } from '../ui/meters'
import { useReason } from '../ui/parts'
import { useAnswers } from '../words/answers'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { CategoryChoice, type ChosenCategory } from './CategoryChoice'
import { Country } from './Country'
import { guess, hasParts, type Mapping } from './columns'
import { usualCountry } from './countries'
import type { Beginning } from './csv'
import { Preview } from './Preview'
import { upload } from './upload'

const texts = bilingual(
  {
    columns: 'The columns',
    columnsHint: 'All other columns become variables that messages can show.',
    phone: 'Phone numbers are in',
    choosePhone: 'Choose the column',
    name: 'Names are in',
    noName: 'No column',
    together: 'First and last name together',
    column: (n: number) => `Column ${n}`,
    contacts: 'The contacts',
    country: 'Country of numbers without a country code',
    known: 'Numbers that are known already',
    update: 'Update the contact: the file’s name and variables replace what was known',
    skip: 'Leave the contact as it is',
    knownHint: 'Either way they join the category, and whoever has opted out stays so.',
    start: 'Start import',
    sending: (percent: string) => `Sending the file: ${percent}`,
    received: 'Almost there: the server is checking the file…',
    stop: 'Stop',
  },
  {
    columns: 'Les colonnes',
    columnsHint: 'Toutes les autres colonnes deviennent des variables pour les messages.',
    phone: 'Les numéros sont dans',
    choosePhone: 'Choisir la colonne',
    name: 'Les noms sont dans',
    noName: 'Aucune colonne',
    together: 'Prénom et nom ensemble',
    column: (n: number) => `Colonne ${n}`,
    contacts: 'Les contacts',
    country: 'Pays des numéros sans indicatif',
    known: 'Numéros déjà connus',
    update: "Mettre le contact à jour\u00a0: le nom et les variables du fichier remplacent ce qu'on savait",
    skip: 'Laisser le contact tel quel',
    knownHint: 'Dans les deux cas ils rejoignent la catégorie, et les désinscrits le restent.',
    start: "Lancer l'import",
    sending: (percent: string) => `Envoi du fichier\u00a0: ${percent}`,
    received: 'Presque fini\u00a0: le serveur vérifie le fichier…',
    stop: 'Arrêter',
  },
)

/** What is to become of a file, and the button that sends it. */
export function ImportOptions({ file, beginning }: { file: File; beginning: Beginning }) {
  const t = useWords(texts)
  const answer = useAnswers()
  const reason = useReason()
  const [, go] = useLocation()
  const [mapping, setMapping] = useState<Mapping>(() => guess(beginning.columns))
  const [country, setCountry] = useState(usualCountry)
  const [category, setCategory] = useState<ChosenCategory>({})
  const [onDuplicate, setOnDuplicate] = useState('update')
  const [sent, setSent] = useState<number>()
  const [error, setError] = useState<unknown>()
  const stop = useRef<() => void>()
  useEffect(() => () => stop.current?.(), [])

  const start = async (event: SubmitEvent) => {
    event.preventDefault()
    setError(undefined)
    setSent(0)
    try {
      const categoryID = await joined(category)
      // Should the file be refused, the category is there now.
      if (categoryID) setCategory({ id: categoryID })
      const header = (at: number | undefined) => (at === undefined ? undefined : beginning.columns[at])
      const sending = upload(
        file,
        {
          category_id: categoryID,
          country,
          on_duplicate: onDuplicate,
          phone_column: header(mapping.phone),
          name_column: header(mapping.name),
        },
        setSent,
      )
      stop.current = sending.stop
      const { id } = await sending.done
      stop.current = undefined
      void forget('/imports')
      go(`/contacts/imports/${id}`)
    } catch (refusal) {
      setSent(undefined)
      if (!(refusal instanceof DOMException)) setError(refusal)
    }
  }

  const categoryError = fieldError(error, 'name')
  const options = beginning.columns.map((header, i) => ({ value: String(i), name: header || t.column(i + 1) }))
  const set = (which: keyof Mapping, value: string) => {
    const chosen = value === '' ? undefined : Number(value)
    setMapping((before) => {
      const after = { ...before, [which]: chosen }
      if (chosen !== undefined && after.phone === after.name) after[which === 'phone' ? 'name' : 'phone'] = undefined
      return after
    })
  }
  return (
    <form class="card" onSubmit={start}>
      <h2>{t.columns}</h2>
      <Preview beginning={beginning} mapping={mapping} />
      <div class="columns">
        <Field label={t.phone}>
          {({ id }) => (
            <select
              id={id}
              required
              value={mapping.phone === undefined ? '' : String(mapping.phone)}
              onChange={(event) => set('phone', event.currentTarget.value)}
            >
              <option value="">{t.choosePhone}</option>
              {options.map(({ value, name }) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t.name} hint={t.columnsHint}>
          {(attributes) => (
            <select
              {...attributes}
              value={mapping.name === undefined ? '' : String(mapping.name)}
              onChange={(event) => set('name', event.currentTarget.value)}
            >
              <option value="">{hasParts(beginning.columns) ? t.together : t.noName}</option>
              {options.map(({ value, name }) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <h2>{t.contacts}</h2>
      <div class="columns">
        <CategoryChoice chosen={category} choose={setCategory} error={categoryError && answer(categoryError)} />
        <Field label={t.country}>{({ id }) => <Country id={id} value={country} choose={setCountry} />}</Field>
      </div>
      <fieldset>
        <legend>{t.known}</legend>
        {(['update', 'skip'] as const).map((choice) => (
          <label key={choice} class="check">
            <input
              type="radio"
              name="on_duplicate"
              checked={onDuplicate === choice}
              onChange={() => setOnDuplicate(choice)}
            />
            {t[choice]}
          </label>
        ))}
        <p class="hint">{t.knownHint}</p>
      </fieldset>
      {error !== undefined && !categoryError && (
        <p class="error" role="alert">
          {reason(error)}
        </p>
      )}
      {sent === undefined ? (
        <div>
          <button type="submit" class="button main">
            {t.start}
          </button>
        </div>
      ) : (
        <Sending share={sent} stop={() => stop.current?.()} />
      )}
    </form>
  )
}

function Sending({ share, stop }: { share: number; stop: () => void }) {
  const t = useWords(texts)
  const format = useFormat()
  const said = share < 1 ? t.sending(format.percent(share)) : t.received
  return (
    <div class="stack">
      <div class="row apart">
        <p role="status">{said}</p>
        <button type="button" class="button small" onClick={stop}>
          {t.stop}
        </button>
      </div>
      <Meter share={share} label={said} />
    </div>
  )
}

/** The category that the contacts join; a new one is made now. */
async function joined({ id, name }: ChosenCategory): Promise<string | undefined> {
  if (name === undefined) return id
  const category = await ask('post', '/categories', {
    params: { header: idempotencyKey() },
    body: { name: name.trim() },
  })
  void forget('/categories')
  return category.id
}
