import { useState } from 'preact/hooks'
import { Dialog } from '../ui/dialog'
import { Field, fieldError } from '../ui/field'
import { useReason } from '../ui/parts'
import { useAnswers } from '../words/answers'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    create: 'New category',
    rename: 'Rename category',
    name: 'Name',
    cancel: 'Cancel',
    add: 'Create category',
    save: 'Rename',
  },
  {
    create: 'Nouvelle catégorie',
    rename: 'Renommer la catégorie',
    name: 'Nom',
    cancel: 'Annuler',
    add: 'Créer la catégorie',
    save: 'Renommer',
  },
)

/** The name of a category, to be filled in. */
export function CategoryDialog(props: {
  name: string
  isNew?: boolean
  /** why the server refused the name */
  error?: unknown
  busy?: boolean
  save: (name: string) => void
  close: () => void
}) {
  const t = useWords(texts)
  const reason = useReason()
  const answer = useAnswers()
  const [name, setName] = useState(props.name)
  const said = fieldError(props.error, 'name')
  const error = said ? answer(said) : props.error === undefined ? undefined : reason(props.error)
  return (
    <Dialog title={props.isNew ? t.create : t.rename} close={props.close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault()
          props.save(name.trim())
        }}
      >
        <div class="stack">
          <Field label={t.name} error={error}>
            {(attributes) => (
              <input
                {...attributes}
                autofocus
                autocomplete="off"
                required
                pattern=".*\S.*"
                value={name}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            )}
          </Field>
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
