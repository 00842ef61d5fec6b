import '../style/contacts.css'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/preact-query'
import { useState } from 'preact/hooks'
import { applyChanges, isTemporary, joinPages, useChanges, useRefused } from '../api/changes'
import { pages } from '../api/queries'
import { useCategories } from '../categories/useCategories'
import { Icon } from '../ui/icons'
import { Empty, Failure, GoTo, More, Skeleton, Title } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { ContactDialog, nobody } from './ContactDialog'
import { ContactFilters } from './ContactFilters'
import { ContactTable } from './ContactTable'
import { queryString, useContactFilter } from './filter'
import { type Contact, contacts } from './kind'
import { Selected } from './Selected'
import { useContactChanges } from './useContactChanges'

const texts = bilingual(
  {
    title: 'Contacts',
    create: 'New contact',
    import: 'Import',
    export: 'Export CSV',
    campaign: 'New campaign for them',
    count: (text: string, n: number) => (n === 1 ? `${text} contact` : `${text} contacts`),
    first: (n: string) => `The newest ${n}; search to find others`,
    none: 'There are no contacts yet',
    noneHint: 'Import a CSV file with names and phone numbers, or create the first contact by hand.',
    importFile: 'Import a file',
    noMatch: 'Nobody matches',
    noMatchHint: 'Search for a part of a name or of a number, or list everybody again.',
    everybody: 'List everybody',
  },
  {
    title: 'Contacts',
    create: 'Nouveau contact',
    import: 'Importer',
    export: 'Exporter en CSV',
    campaign: 'Nouvelle campagne pour eux',
    count: (text: string, n: number) => (n < 2 ? `${text} contact` : `${text} contacts`),
    first: (n: string) => `Les ${n} plus récents\u00a0; cherchez pour trouver les autres`,
    none: "Il n'y a pas encore de contact",
    noneHint: 'Importez un fichier CSV avec noms et numéros de téléphone, ou créez le premier contact à la main.',
    importFile: 'Importer un fichier',
    noMatch: 'Personne ne correspond',
    noMatchHint: "Cherchez une partie d'un nom ou d'un numéro, ou affichez de nouveau tout le monde.",
    everybody: 'Afficher tout le monde',
  },
)

export default function Contacts() {
  const t = useWords(texts)
  const { filter, narrow, clear } = useContactFilter()
  const { items: categories } = useCategories()
  const [typing, setTyping] = useState(false)
  const [draft, setDraft] = useState<Contact>()
  const [selected, setSelected] = useState<Set<string>>(new Set())
  const { create, remove } = useContactChanges()
  const changes = useChanges(contacts)
  const list = useInfiniteQuery({
    ...pages('/contacts', { params: { query: filter } }),
    placeholderData: keepPreviousData,
  })
  const { items, total } = applyChanges(joinPages(list.data?.pages), changes, contacts, filter)
  const narrowed = Object.keys(filter).length > 0
  const here = items.filter(({ id }) => selected.has(id) && !isTemporary(id)).map(({ id }) => id)
  const open = () => setDraft(nobody(filter.category_id ? [filter.category_id] : []))
  return (
    <>
      <Title
        aside={
          <>
            <a class="button" href={`/contacts/export.csv${queryString(filter)}`} download>
              <Icon name="download" />
              {t.export}
            </a>
            <GoTo to="/contacts/import" icon="upload">
              {t.import}
            </GoTo>
            <button type="button" class="button main" onClick={open}>
              <Icon name="plus" />
              {t.create}
            </button>
          </>
        }
      >
        {t.title}
      </Title>
      <section class="card">
        <ContactFilters filter={filter} narrow={narrow} categories={categories} ahead={setTyping} />
        <div class="above">
          {here.length > 0 ? (
            <Selected ids={here} categories={categories} clear={() => setSelected(new Set())} />
          ) : (
            <>
              <Count shown={items.length} total={total} loading={list.isPending} />
              {filter.category_id && (
                <GoTo to={`/campaigns/new?category_id=${filter.category_id}`} icon="campaigns">
                  {t.campaign}
                </GoTo>
              )}
            </>
          )}
        </div>
        {list.isPending ? (
          <Skeleton lines={10} height={44} />
        ) : list.error && !list.data ? (
          <Failure error={list.error} again={list.refetch} />
        ) : items.length > 0 ? (
          <>
            <ContactTable
              contacts={items}
              categories={categories}
              selected={selected}
              select={setSelected}
              remove={remove}
              busy={list.isPlaceholderData || typing}
            />
            <More list={list} />
          </>
        ) : narrowed ? (
          <Empty
            title={t.noMatch}
            action={
              <button type="button" class="button" onClick={clear}>
                {t.everybody}
              </button>
            }
          >
            {t.noMatchHint}
          </Empty>
        ) : (
          <Empty
            title={t.none}
            action={
              <GoTo to="/contacts/import" icon="upload" main>
                {t.importFile}
              </GoTo>
            }
          >
            {t.noneHint}
          </Empty>
        )}
      </section>
      <Creation
        draft={draft}
        create={(contact) => {
          setDraft(undefined)
          create(contact)
        }}
        close={() => setDraft(undefined)}
      />
    </>
  )
}

function Count({ shown, total, loading }: { shown: number; total: number | undefined; loading: boolean }) {
  const t = useWords(texts)
  const format = useFormat()
  if (loading) return <p class="muted" />
  return (
    <p class="muted" role="status">
      {total === undefined ? t.first(format.number(shown)) : t.count(format.number(total), total)}
    </p>
  )
}

/** The dialog of a new contact, and of those that were refused, as they had been filled in. */
function Creation(props: { draft?: Contact; create: (contact: Contact) => void; close: () => void }) {
  const { refused, letGo } = useRefused(contacts)
  const [first] = refused
  if (props.draft) return <ContactDialog isNew contact={props.draft} save={props.create} close={props.close} />
  if (!first) return null
  return (
    <ContactDialog
      key={first.number}
      isNew
      contact={first.item}
      error={first.error}
      save={(contact) => {
        letGo(first)
        props.create(contact)
      }}
      close={() => letGo(first)}
    />
  )
}
