import { useState } from 'preact/hooks'
import { ask } from '../api/client'
import type { Category } from '../categories/kind'
import { useReason } from '../ui/parts'
import { tell } from '../ui/toast'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { forgetContacts } from './ContactActions'

const texts = bilingual(
  {
    selected: (n: string, many: boolean) => (many ? `${n} contacts selected` : `${n} contact selected`),
    category: 'Category',
    choose: 'Choose a category',
    putIn: 'Put in',
    takeOut: 'Take out',
    none: 'Clear selection',
    isIn: (n: string, many: boolean, name: string) => `${n} ${many ? 'contacts are' : 'contact is'} in ${name}`,
    isOut: (n: string, many: boolean, name: string) =>
      `${n} ${many ? 'contacts are' : 'contact is'} no longer in ${name}`,
  },
  {
    selected: (n: string, many: boolean) => (many ? `${n} contacts sélectionnés` : `${n} contact sélectionné`),
    category: 'Catégorie',
    choose: 'Choisir une catégorie',
    putIn: 'Y mettre',
    takeOut: 'En retirer',
    none: 'Tout désélectionner',
    isIn: (n: string, many: boolean, name: string) => `${n} ${many ? 'contacts sont' : 'contact est'} dans ${name}`,
    isOut: (n: string, many: boolean, name: string) =>
      `${n} ${many ? 'contacts ne sont' : "contact n'est"} plus dans ${name}`,
  },
)

/** What can be done with all the contacts that are selected. */
export function Selected(props: { ids: string[]; categories: Category[]; clear: () => void }) {
  const t = useWords(texts)
  const format = useFormat()
  const reason = useReason()
  const [chosen, setChosen] = useState('')
  const [busy, setBusy] = useState(false)
  const many = props.ids.length > 1
  const count = format.number(props.ids.length)
  const move = async (method: 'post' | 'delete') => {
    setBusy(true)
    try {
      const category = await ask(method, '/categories/{id}/contacts', {
        params: { path: { id: chosen } },
        body: { contact_ids: props.ids },
      })
      await forgetContacts()
      tell((method === 'post' ? t.isIn : t.isOut)(count, many, category.name))
      props.clear()
    } catch (refusal) {
      tell(reason(refusal), true)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section class="selected" aria-label={t.selected(count, many)}>
      <p class="strong">{t.selected(count, many)}</p>
      <select aria-label={t.category} value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
        <option value="">{t.choose}</option>
        {props.categories.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <button type="button" class="button" disabled={!chosen || busy} onClick={() => move('post')}>
        {t.putIn}
      </button>
      <button type="button" class="button" disabled={!chosen || busy} onClick={() => move('delete')}>
        {t.takeOut}
      </button>
      <button type="button" class="button bare" onClick={props.clear}>
        {t.none}
      </button>
    </section>
  )
}
