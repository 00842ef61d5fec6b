import '../style/contacts.css'
import { useState } from 'preact/hooks'
import { Link } from 'wouter-preact'
import { isTemporary, useRefused } from '../api/changes'
import { ask } from '../api/client'
import { forget } from '../api/queries'
import { Confirmed } from '../ui/dialog'
import { Icon } from '../ui/icons'
import { Empty, Failure, Moment, Skeleton, Title } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { CategoryDialog } from './CategoryDialog'
import { type Category, categories } from './kind'
import { useCategories } from './useCategories'
import { useCategoryChanges } from './useCategoryChanges'

const texts = bilingual(
  {
    title: 'Categories',
    create: 'New category',
    count: (text: string, n: number) => (n === 1 ? `${text} category` : `${text} categories`),
    name: 'Name',
    contacts: 'Contacts',
    created: 'Created',
    actions: 'Actions',
    campaign: 'New campaign',
    campaignFor: (name: string) => `New campaign for ${name}`,
    rename: (name: string) => `Rename ${name}`,
    remove: (name: string) => `Delete ${name}`,
    removeTitle: (name: string) => `Delete the category ${name}?`,
    removeMeans: (n: string, count: number) =>
      count === 0
        ? 'There is nobody in it. Past campaigns keep what they recorded.'
        : `Only the category goes: ${count === 1 ? 'its contact stays' : `its ${n} contacts stay`}, and so does what past campaigns recorded.`,
    removeDo: 'Delete category',
    underWay: 'Being created…',
    none: 'There are no categories yet',
    noneHint:
      'A category is a group of contacts that a campaign can be sent to, such as customers of a year or a town.',
  },
  {
    title: 'Catégories',
    create: 'Nouvelle catégorie',
    count: (text: string, n: number) => (n < 2 ? `${text} catégorie` : `${text} catégories`),
    name: 'Nom',
    contacts: 'Contacts',
    created: 'Créée',
    actions: 'Actions',
    campaign: 'Nouvelle campagne',
    campaignFor: (name: string) => `Nouvelle campagne pour ${name}`,
    rename: (name: string) => `Renommer ${name}`,
    remove: (name: string) => `Supprimer ${name}`,
    removeTitle: (name: string) => `Supprimer la catégorie ${name}\u00a0?`,
    removeMeans: (n: string, count: number) =>
      count === 0
        ? "Il n'y a personne dedans. Les campagnes passées gardent ce qu'elles ont enregistré."
        : `Seule la catégorie disparaît\u00a0: ${count === 1 ? 'son contact reste' : `ses ${n} contacts restent`}, et les campagnes passées gardent ce qu'elles ont enregistré.`,
    removeDo: 'Supprimer la catégorie',
    underWay: 'En cours de création…',
    none: "Il n'y a pas encore de catégorie",
    noneHint:
      "Une catégorie est un groupe de contacts auquel une campagne peut s'adresser, par exemple les clients d'une année ou d'une ville.",
  },
)

export default function Categories() {
  const t = useWords(texts)
  const format = useFormat()
  const { list, items, total } = useCategories()
  const { create, remove } = useCategoryChanges()
  const [creating, setCreating] = useState(false)
  const open = () => setCreating(true)
  const button = (main: boolean) => (
    <button type="button" class={main ? 'button main' : 'button'} onClick={open}>
      <Icon name="plus" />
      {t.create}
    </button>
  )
  return (
    <>
      <Title aside={button(true)}>{t.title}</Title>
      <section class="card">
        {list.isPending ? (
          <Skeleton lines={6} height={44} />
        ) : list.error && !list.data ? (
          <Failure error={list.error} again={list.refetch} />
        ) : items.length === 0 ? (
          <Empty title={t.none} action={button(false)}>
            {t.noneHint}
          </Empty>
        ) : (
          <>
            <p class="muted" role="status">
              {t.count(format.number(total ?? items.length), total ?? items.length)}
            </p>
            <table class="list">
              <caption class="unseen">{t.title}</caption>
              <thead>
                <tr>
                  <th scope="col">{t.name}</th>
                  <th scope="col" class="right">
                    {t.contacts}
                  </th>
                  <th scope="col">{t.created}</th>
                  <th scope="col">
                    <span class="unseen">{t.actions}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((category) => (
                  <Row key={category.id} category={category} remove={remove} />
                ))}
              </tbody>
            </table>
          </>
        )}
      </section>
      <Creation
        open={creating}
        create={(name) => {
          setCreating(false)
          create(name)
        }}
        close={() => setCreating(false)}
      />
    </>
  )
}

function Row({ category, remove }: { category: Category; remove: (category: Category) => void }) {
  const t = useWords(texts)
  const format = useFormat()
  const { id, name } = category
  const waits = isTemporary(id)
  const list = `/contacts?category_id=${id}`
  return (
    <tr aria-busy={waits || undefined}>
      <td class="long" data-name={t.name}>
        {waits ? name : <Link href={list}>{name}</Link>}
      </td>
      <td class="right" data-name={t.contacts}>
        {waits ? '–' : <Link href={list}>{format.number(category.contact_count)}</Link>}
      </td>
      <td class="muted" data-name={t.created}>
        <Moment at={category.created_at} />
      </td>
      <td class="doings">
        {waits ? (
          <span class="muted">{t.underWay}</span>
        ) : (
          <span class="icons">
            <Link href={`/campaigns/new?category_id=${id}`} class="button bare" aria-label={t.campaignFor(name)}>
              <Icon name="campaigns" />
              <span class="wide-only">{t.campaign}</span>
            </Link>
            <Rename category={category} />
            <Confirmed
              bare
              icon="trash"
              label={t.remove(name)}
              title={t.removeTitle(name)}
              confirm={t.removeDo}
              run={async () => remove(category)}
            >
              <p>{t.removeMeans(format.number(category.contact_count), category.contact_count)}</p>
            </Confirmed>
          </span>
        )}
      </td>
    </tr>
  )
}

function Rename({ category }: { category: Category }) {
  const t = useWords(texts)
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const save = async (name: string) => {
    setBusy(true)
    setError(undefined)
    try {
      await ask('put', '/categories/{id}', { params: { path: { id: category.id } }, body: { name } })
      await forget('/categories')
      setOpen(false)
    } catch (refusal) {
      setError(refusal)
    } finally {
      setBusy(false)
    }
  }
  const close = () => {
    setOpen(false)
    setError(undefined)
  }
  return (
    <>
      <button type="button" class="button bare" aria-label={t.rename(category.name)} onClick={() => setOpen(true)}>
        <Icon name="edit" />
      </button>
      {open && <CategoryDialog name={category.name} error={error} busy={busy} save={save} close={close} />}
    </>
  )
}

/** The dialog of a new category, and of those that were refused, as they had been filled in. */
function Creation(props: { open: boolean; create: (name: string) => void; close: () => void }) {
  const { refused, letGo } = useRefused(categories)
  const [first] = refused
  if (props.open) return <CategoryDialog isNew name="" save={props.create} close={props.close} />
  if (!first) return null
  return (
    <CategoryDialog
      key={first.number}
      isNew
      name={first.item.name}
      error={first.error}
      save={(name) => {
        letGo(first)
        props.create(name)
      }}
      close={() => letGo(first)}
    />
  )
}
