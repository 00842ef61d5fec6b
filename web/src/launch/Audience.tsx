import { useInfiniteQuery } from '@tanstack/preact-query'
import { useEffect, useState } from 'preact/hooks'
import { Link } from 'wouter-preact'
import { joinPages } from '../api/changes'
import type { Schemas } from '../api/client'
import { pages } from '../api/queries'
import { Empty, Failure, GoTo, Skeleton } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { ChosenContacts } from './ChosenContacts'
import { hasAudience, type Plan } from './plan'

const texts = bilingual(
  {
    title: 'Audience',
    categories: 'Categories',
    search: 'Find a category',
    none: 'No category is called like that.',
    gone: 'A category that is gone',
    empty: 'There is no category yet',
    first: 'A campaign goes to the contacts of categories. Import contacts into one first.',
    import: 'Import contacts',
    all: 'All contacts of this category',
    will: (n: number) => (n === 1 ? 'contact will get it' : 'contacts will get it'),
    each: 'Each once, without those who opted out.',
    choose: 'Choose who gets the campaign.',
    less: (n: string, one: boolean) => `${n} ${one ? 'is' : 'are'} left out: opted out, or chosen more than once.`,
  },
  {
    title: 'Audience',
    categories: 'Catégories',
    search: 'Chercher une catégorie',
    none: 'Aucune catégorie ne porte ce nom.',
    gone: 'Une catégorie disparue',
    empty: "Il n'y a pas encore de catégorie",
    first: "Une campagne s'adresse aux contacts de catégories. Importez d'abord des contacts dans l'une d'elles.",
    import: 'Importer des contacts',
    all: 'Tous les contacts de cette catégorie',
    will: (n: number) => (n < 2 ? 'contact la recevra' : 'contacts la recevront'),
    each: 'Chacun une seule fois, sans les désinscrits.',
    choose: 'Choisissez qui reçoit la campagne.',
    less: (n: string, one: boolean) =>
      one
        ? `${n} n'est pas compté\u00a0: désinscrit, ou choisi plusieurs fois.`
        : `${n} ne sont pas comptés\u00a0: désinscrits, ou choisis plusieurs fois.`,
  },
)

/** Every category of the installation, in pages. */
export const allCategories = pages('/categories', { params: { query: { limit: 200 } } })

/** So many categories need a search box. */
const MANY = 8

/** Who gets the campaign, and how many that really are. */
export function Audience({
  plan,
  change,
  reached,
  error,
}: {
  plan: Plan
  change: (to: Partial<Plan>) => void
  /** how many will really get it; undefined until that is known */
  reached: number | undefined
  error?: string
}) {
  const t = useWords(texts)
  const list = useInfiniteQuery(allCategories)
  useEffect(() => {
    if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage()
  }, [list.hasNextPage, list.isFetchingNextPage])
  const categories = joinPages(list.data?.pages).items
  const named =
    plan.contact_ids.length +
    categories.filter((c) => plan.category_ids.includes(c.id)).reduce((sum, c) => sum + c.contact_count, 0)
  return (
    <section class="card" id="audience">
      <header>
        <h2>{t.title}</h2>
      </header>
      {list.isError ? (
        <Failure error={list.error} again={list.refetch} />
      ) : list.isPending ? (
        <Skeleton lines={4} height={32} />
      ) : categories.length === 0 && !hasAudience(plan) ? (
        <Empty title={t.empty} action={<GoTo to="/contacts/import">{t.import}</GoTo>}>
          {t.first}
        </Empty>
      ) : (
        <Categories
          categories={list.hasNextPage ? categories : withGone(categories, plan.category_ids, t.gone)}
          chosen={plan.category_ids}
          choose={(category_ids) => change({ category_ids })}
          error={error}
        />
      )}
      <ChosenContacts ids={plan.contact_ids} choose={(contact_ids) => change({ contact_ids })} />
      <Reached plan={plan} reached={reached} named={named} />
      {error && (
        <p class="error" id="audience-error">
          {error}
        </p>
      )}
    </section>
  )
}

function Categories({
  categories,
  chosen,
  choose,
  error,
}: {
  categories: Schemas['Category'][]
  chosen: string[]
  choose: (ids: string[]) => void
  error?: string
}) {
  const t = useWords(texts)
  const format = useFormat()
  const [sought, setSought] = useState('')
  const shown = categories.filter((category) => plain(category.name).includes(plain(sought)))
  const toggle = (id: string, on: boolean) => choose(on ? [...chosen, id] : chosen.filter((other) => other !== id))
  return (
    <fieldset aria-describedby={error ? 'audience-error' : undefined}>
      <legend class={categories.length > MANY ? 'unseen' : ''}>{t.categories}</legend>
      {categories.length > MANY && (
        <input
          type="search"
          aria-label={t.search}
          placeholder={t.search}
          value={sought}
          onInput={(event) => setSought(event.currentTarget.value)}
        />
      )}
      <ul class="choose-categories">
        {shown.map((category) => (
          <li key={category.id}>
            <label class="check">
              <input
                type="checkbox"
                checked={chosen.includes(category.id)}
                onChange={(event) => toggle(category.id, event.currentTarget.checked)}
              />
              <span>{category.name}</span>
            </label>
            <Link class="number" href={`/contacts?category_id=${category.id}`} title={t.all}>
              {format.number(category.contact_count)}
            </Link>
          </li>
        ))}
        {shown.length === 0 && sought && <li class="muted">{t.none}</li>}
      </ul>
    </fieldset>
  )
}

/** What was chosen once and deleted since can be seen, and left out. */
function withGone(categories: Schemas['Category'][], chosen: string[], name: string): Schemas['Category'][] {
  const gone = chosen.filter((id) => !categories.some((category) => category.id === id))
  return [...categories, ...gone.map((id) => ({ id, name, contact_count: 0, created_at: '' }))]
}

const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()

function Reached({ plan, reached, named }: { plan: Plan; reached: number | undefined; named: number }) {
  const t = useWords(texts)
  const format = useFormat()
  const less = reached !== undefined && named > reached ? named - reached : 0
  return (
    <div class="reached" aria-live="polite">
      {!hasAudience(plan) ? (
        <p class="muted">{t.choose}</p>
      ) : (
        <>
          <p>
            <strong class="count" data-testid="reached">
              {reached === undefined ? '…' : format.number(reached)}
            </strong>{' '}
            {t.will(reached ?? 2)}
          </p>
          <p class="hint">{less > 0 ? t.less(format.number(less), less === 1) : t.each}</p>
        </>
      )}
    </div>
  )
}
