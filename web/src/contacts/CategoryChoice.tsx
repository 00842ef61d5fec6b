import { useCategories } from '../categories/useCategories'
import { Field } from '../ui/field'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    category: 'Category that they join',
    none: 'None',
    fresh: 'A new category…',
    name: 'Name of the new category',
  },
  {
    category: "Catégorie qu'ils rejoignent",
    none: 'Aucune',
    fresh: 'Une nouvelle catégorie…',
    name: 'Nom de la nouvelle catégorie',
  },
)

/** A category that exists, one that is to be made, or none. */
export type ChosenCategory = { id?: string; name?: string }

const FRESH = 'new'

export function CategoryChoice(props: {
  chosen: ChosenCategory
  choose: (category: ChosenCategory) => void
  error?: string
}) {
  const t = useWords(texts)
  const { items } = useCategories()
  const { chosen, choose } = props
  return (
    <div class="stack">
      <Field label={t.category}>
        {({ id }) => (
          <select
            id={id}
            value={chosen.name === undefined ? (chosen.id ?? '') : FRESH}
            onChange={({ currentTarget: { value } }) =>
              choose(value === FRESH ? { name: '' } : value ? { id: value } : {})
            }
          >
            <option value="">{t.none}</option>
            <option value={FRESH}>{t.fresh}</option>
            {items.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {chosen.name !== undefined && (
        <Field label={t.name} error={props.error}>
          {(attributes) => (
            <input
              {...attributes}
              required
              pattern=".*\S.*"
              value={chosen.name}
              onInput={(event) => choose({ name: event.currentTarget.value })}
            />
          )}
        </Field>
      )}
    </div>
  )
}
