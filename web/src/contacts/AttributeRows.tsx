import { Icon } from '../ui/icons'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    legend: 'Variables',
    hint: 'Messages can show them, such as {{city}}.',
    name: 'Name of the variable',
    nameShort: 'Name',
    value: 'Value',
    add: 'Add a variable',
    remove: (name: string) => `Remove ${name || 'this variable'}`,
  },
  {
    legend: 'Variables',
    hint: 'Les messages peuvent les montrer, par exemple {{ville}}.',
    name: 'Nom de la variable',
    nameShort: 'Nom',
    value: 'Valeur',
    add: 'Ajouter une variable',
    remove: (name: string) => `Retirer ${name || 'cette variable'}`,
  },
)

export type Attribute = { name: string; value: string }

/** What is known of a contact beside phone and name, as rows to fill in. */
export function AttributeRows(props: { rows: Attribute[]; change: (rows: Attribute[]) => void; error?: string }) {
  const t = useWords(texts)
  const set = (at: number, row: Partial<Attribute>) =>
    props.change(props.rows.map((before, i) => (i === at ? { ...before, ...row } : before)))
  return (
    <fieldset>
      <legend>{t.legend}</legend>
      <p class={props.error ? 'error' : 'hint'} role={props.error ? 'alert' : undefined}>
        {props.error ?? t.hint}
      </p>
      {props.rows.map((row, i) => (
        <div class="attribute" key={i}>
          <input
            aria-label={t.name}
            placeholder={t.nameShort}
            value={row.name}
            onInput={(event) => set(i, { name: event.currentTarget.value })}
          />
          <input
            aria-label={row.name || t.value}
            placeholder={t.value}
            value={row.value}
            onInput={(event) => set(i, { value: event.currentTarget.value })}
          />
          <button
            type="button"
            class="button bare"
            aria-label={t.remove(row.name)}
            onClick={() => props.change(props.rows.filter((_, at) => at !== i))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      <div>
        <button
          type="button"
          class="button small"
          onClick={() => props.change([...props.rows, { name: '', value: '' }])}
        >
          <Icon name="plus" />
          {t.add}
        </button>
      </div>
    </fieldset>
  )
}
