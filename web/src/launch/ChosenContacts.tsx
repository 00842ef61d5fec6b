import { useQueries } from '@tanstack/preact-query'
import { Link } from 'wouter-preact'
import { one } from '../api/queries'
import { Icon } from '../ui/icons'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    title: 'Single contacts',
    remove: (name: string) => `Leave ${name} out`,
    more: (n: string) => `and ${n} more`,
    none: 'Remove all',
    gone: 'A contact who is gone',
  },
  {
    title: 'Contacts choisis un à un',
    remove: (name: string) => `Retirer ${name}`,
    more: (n: string) => `et ${n} autres`,
    none: 'Tout retirer',
    gone: 'Un contact disparu',
  },
)

/** More names than this tell nobody anything. */
const SHOWN = 10

/** The contacts who were chosen one by one, on the screens of contacts. */
export function ChosenContacts({ ids, choose }: { ids: string[]; choose: (ids: string[]) => void }) {
  const t = useWords(texts)
  const format = useFormat()
  const found = useQueries({
    queries: ids.slice(0, SHOWN).map((id) => one('/contacts/{id}', { params: { path: { id } } })),
  })
  if (ids.length === 0) return null
  return (
    <div class="stack tight">
      <p class="label">{t.title}</p>
      <ul class="chosen-contacts">
        {ids.slice(0, SHOWN).map((id, i) => {
          const contact = found[i]?.data
          const name = contact ? contact.name || contact.phone : found[i]?.isError ? t.gone : '…'
          return (
            <li key={id} class="chip">
              <Link href={`/contacts/${id}`}>{name}</Link>
              <button
                type="button"
                class="button bare small"
                aria-label={t.remove(name)}
                onClick={() => choose(ids.filter((other) => other !== id))}
              >
                <Icon name="close" />
              </button>
            </li>
          )
        })}
        {ids.length > SHOWN && <li class="muted">{t.more(format.number(ids.length - SHOWN))}</li>}
        {ids.length > 1 && (
          <li>
            <button type="button" class="button small" onClick={() => choose([])}>
              {t.none}
            </button>
          </li>
        )}
      </ul>
    </div>
  )
}
