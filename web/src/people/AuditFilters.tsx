import { useSearchParams } from 'wouter-preact'
import { Field } from '../ui/field'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { actions, actionWords } from './actions'

const texts = bilingual(
  { who: 'Who', what: 'What', everybody: 'Everybody', everything: 'Everything', somebody: 'One user' },
  { who: 'Qui', what: 'Quoi', everybody: 'Tous', everything: 'Tout', somebody: 'Un utilisateur' },
)

/** The filters are the page's address, so that a list can be linked to. */
export function AuditFilters(props: {
  filter: { user_id?: string; action?: string }
  emails: ReadonlyMap<string, string>
}) {
  const t = useWords(texts)
  const words = useWords(actionWords)
  const { compare } = useFormat()
  const [, setSearch] = useSearchParams()
  const { user_id = '', action = '' } = props.filter
  const choose = (name: string) => (event: { currentTarget: HTMLSelectElement }) => {
    const { value } = event.currentTarget
    setSearch((before) => {
      const next = new URLSearchParams(before)
      if (value) next.set(name, value)
      else next.delete(name)
      return next
    })
  }
  return (
    <div class="filters">
      <Field label={t.who}>
        {(attributes) => (
          <select {...attributes} value={user_id} onChange={choose('user')}>
            <option value="">{t.everybody}</option>
            {user_id && !props.emails.has(user_id) && <option value={user_id}>{t.somebody}</option>}
            {[...props.emails]
              .sort(([, a], [, b]) => compare(a, b))
              .map(([id, email]) => (
                <option key={id} value={id}>
                  {email}
                </option>
              ))}
          </select>
        )}
      </Field>
      <Field label={t.what}>
        {(attributes) => (
          <select {...attributes} value={action} onChange={choose('action')}>
            <option value="">{t.everything}</option>
            {(Object.keys(actions) as (keyof typeof actions)[]).map((group) => (
              <optgroup key={group} label={words.group[group]}>
                {actions[group].map((one) => (
                  <option key={one} value={one}>
                    {words.action[one]}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        )}
      </Field>
    </div>
  )
}
