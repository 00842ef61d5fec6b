import { useEffect, useState } from 'preact/hooks'
import { useSearchParams } from 'wouter-preact'
import { states } from '../ui/meters'
import { bilingual, useWords } from '../words/language'
import { terms } from '../words/terms'
import { reachedSteps } from './links'
import type { Filters } from './Recipients'

const texts = bilingual(
  {
    search: 'Name or number',
    which: 'Which recipients',
    all: 'All',
    byState: 'State',
    byReach: 'How far they came',
    sent: 'Sent Message 1',
    delivered: 'Delivered',
    read: 'Read',
    replied: 'Replied in time',
    answered: 'Sent Message 2',
  },
  {
    search: 'Nom ou numéro',
    which: 'Quels destinataires',
    all: 'Tous',
    byState: 'État',
    byReach: 'Jusqu’où ils sont allés',
    sent: 'Message 1 envoyé',
    delivered: 'Message 1 distribué',
    read: 'Message 1 lu',
    replied: 'Réponse à temps',
    answered: 'Message 2 envoyé',
  },
)

/** How long a reader has stopped typing when the search begins, in ms. */
const PAUSE = 250

/** Which recipients are listed. It stands in the address, so that Back works and a link keeps it. */
export function RecipientFilters({ state, reached, q = '' }: Filters) {
  const t = useWords(texts)
  const { recipientState } = useWords(terms)
  const [, setQuery] = useSearchParams()
  const [typed, setTyped] = useState(q)
  useEffect(() => setTyped(q), [q])
  useEffect(() => {
    if (typed.trim() === q) return
    const search = setTimeout(() => {
      setQuery((query) => put(query, 'q', typed.trim()), { replace: true })
    }, PAUSE)
    return () => clearTimeout(search)
  }, [typed])
  const choose = (chosen: string) => {
    const [name = '', value = ''] = chosen.split(':')
    setQuery((query) => {
      query.delete('state')
      query.delete('reached')
      return put(query, name, value)
    })
  }
  return (
    <div class="filters" role="search">
      <label class="field wide">
        <span class="label">{t.search}</span>
        <input
          type="search"
          autocomplete="off"
          maxLength={100}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span class="label">{t.which}</span>
        <select
          value={state ? `state:${state}` : reached ? `reached:${reached}` : ''}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          <option value="">{t.all}</option>
          <optgroup label={t.byState}>
            {states.map((one) => (
              <option key={one} value={`state:${one}`}>
                {recipientState[one]}
              </option>
            ))}
          </optgroup>
          <optgroup label={t.byReach}>
            {reachedSteps.map((step) => (
              <option key={step} value={`reached:${step}`}>
                {t[step]}
              </option>
            ))}
          </optgroup>
        </select>
      </label>
    </div>
  )
}

function put(query: URLSearchParams, name: string, value: string): URLSearchParams {
  const next = new URLSearchParams(query)
  if (value) next.set(name, value)
  else next.delete(name)
  return next
}
