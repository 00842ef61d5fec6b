import { useEffect, useRef, useState } from 'preact/hooks'
import type { Category } from '../categories/kind'
import { bilingual, useWords } from '../words/language'
import type { ContactFilter } from './filter'

const texts = bilingual(
  {
    search: 'Search',
    searchHint: 'Name or part of a number',
    category: 'Category',
    anyCategory: 'All categories',
    messages: 'Messages',
    anybody: 'Everybody',
    in: 'May be messaged',
    out: 'Opted out',
  },
  {
    search: 'Rechercher',
    searchHint: "Nom ou partie d'un numéro",
    category: 'Catégorie',
    anyCategory: 'Toutes les catégories',
    messages: 'Messages',
    anybody: 'Tout le monde',
    in: 'Acceptent les messages',
    out: 'Désinscrits',
  },
)

type Narrow = (change: ContactFilter, typing?: boolean) => void

export function ContactFilters(props: {
  filter: ContactFilter
  narrow: Narrow
  categories: Category[]
  /** hears whether something is typed that the list does not follow yet */
  ahead: (typing: boolean) => void
}) {
  const t = useWords(texts)
  const { filter, narrow } = props
  return (
    <search class="filters">
      <Search q={filter.q ?? ''} narrow={narrow} ahead={props.ahead} />
      <label class="field">
        <span class="label">{t.category}</span>
        <select
          value={filter.category_id ?? ''}
          onChange={(event) => narrow({ category_id: event.currentTarget.value })}
        >
          <option value="">{t.anyCategory}</option>
          {props.categories.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="label">{t.messages}</span>
        <select
          value={filter.opted_out ?? ''}
          onChange={(event) => narrow({ opted_out: event.currentTarget.value as ContactFilter['opted_out'] })}
        >
          <option value="">{t.anybody}</option>
          <option value="false">{t.in}</option>
          <option value="true">{t.out}</option>
        </select>
      </label>
    </search>
  )
}

/** How long a typist pauses before the list follows. */
const PAUSE = 150

function Search({ q, narrow, ahead }: { q: string; narrow: Narrow; ahead: (typing: boolean) => void }) {
  const t = useWords(texts)
  const [text, setText] = useState(q)
  const asked = useRef(q)
  const timer = useRef<ReturnType<typeof setTimeout>>()
  useEffect(() => () => clearTimeout(timer.current), [])
  useEffect(() => {
    // The address has changed by another way, such as Back.
    if (q === asked.current) return
    asked.current = q
    setText(q)
  }, [q])
  const ask = (typed: string) => {
    clearTimeout(timer.current)
    asked.current = typed.trim()
    ahead(false)
    narrow({ q: asked.current }, true)
  }
  return (
    <label class="field wide">
      <span class="label">{t.search}</span>
      <input
        type="search"
        placeholder={t.searchHint}
        maxLength={100}
        value={text}
        onInput={(event) => {
          const typed = event.currentTarget.value
          setText(typed)
          ahead(true)
          clearTimeout(timer.current)
          timer.current = setTimeout(() => ask(typed), PAUSE)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') ask(event.currentTarget.value)
        }}
      />
    </label>
  )
}
