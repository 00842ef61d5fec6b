import '../style/contacts.css'
import { useQuery } from '@tanstack/preact-query'
import type { ComponentChildren } from 'preact'
import { useLocation } from 'wouter-preact'
import { Problem } from '../api/client'
import { one } from '../api/queries'
import { useCategories } from '../categories/useCategories'
import type { ScreenProps } from '../screens'
import { Failure, Moment, Skeleton, Title } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { ContactActions } from './ContactActions'
import { CategoryLinks } from './ContactTable'
import type { Contact as Person } from './kind'
import { PersonalData } from './PersonalData'
import { readablePhone } from './phone'
import { Story } from './Story'
import { called, useContactChanges } from './useContactChanges'

const texts = bilingual(
  {
    contact: 'Contact',
    back: 'Contacts',
    deleted: 'Deleted contact',
    deletedHint:
      'This contact has been deleted or erased. What campaigns recorded is kept; of the erased, nothing that tells who it was.',
    known: 'What is known',
    phone: 'Phone',
    name: 'Name',
    categories: 'Categories',
    none: 'None',
    messages: 'Messages',
    allowed: 'May be messaged',
    optedOut: 'Opted out',
    created: 'Created',
    updated: 'Changed',
  },
  {
    contact: 'Contact',
    back: 'Contacts',
    deleted: 'Contact supprimé',
    deletedHint:
      "Ce contact a été supprimé ou effacé. Ce que les campagnes ont enregistré est conservé\u00a0; s'il a été effacé, plus rien n'y dit de qui il s'agissait.",
    known: "Ce que l'on sait",
    phone: 'Téléphone',
    name: 'Nom',
    categories: 'Catégories',
    none: 'Aucune',
    messages: 'Messages',
    allowed: 'Accepte les messages',
    optedOut: 'Désinscrit',
    created: 'Créé',
    updated: 'Modifié',
  },
)

/** A person: what is known, and what happened so far. */
export default function Contact({ params: { id = '' } }: ScreenProps) {
  const t = useWords(texts)
  const [, go] = useLocation()
  const { remove } = useContactChanges()
  const { data, error, refetch } = useQuery(one('/contacts/{id}', { params: { path: { id } } }))
  const back = { to: '/contacts', name: t.back }
  if (error instanceof Problem && error.status === 404)
    return (
      <>
        <Title back={back}>{t.deleted}</Title>
        <p class="notice">{t.deletedHint}</p>
        <Story id={id} />
        <PersonalData id={id} />
      </>
    )
  return (
    <>
      <Title
        back={back}
        aside={
          data && (
            <ContactActions
              contact={data}
              remove={(contact) => {
                remove(contact)
                go('/contacts')
              }}
            />
          )
        }
      >
        {data ? called(data) : t.contact}
      </Title>
      {error && !data ? (
        <Failure error={error} again={refetch} />
      ) : (
        <div class="person">
          <div class="aside">
            <section class="card" aria-labelledby="known">
              <h2 id="known">{t.known}</h2>
              {data ? <Known contact={data} /> : <Skeleton lines={6} height={24} />}
            </section>
            {data && <PersonalData id={id} contact={data} />}
          </div>
          <Story id={id} />
        </div>
      )}
    </>
  )
}

function Known({ contact }: { contact: Person }) {
  const t = useWords(texts)
  const { items: categories } = useCategories()
  return (
    <dl class="facts">
      <Fact name={t.phone}>{readablePhone(contact.phone)}</Fact>
      <Fact name={t.name}>{contact.name || '–'}</Fact>
      <Fact name={t.messages}>
        {contact.opted_out_at ? (
          <span class="badge warn">
            {t.optedOut} <Moment at={contact.opted_out_at} />
          </span>
        ) : (
          <span class="badge good">{t.allowed}</span>
        )}
      </Fact>
      <Fact name={t.categories}>
        {contact.category_ids.length > 0 ? (
          <CategoryLinks ids={contact.category_ids} categories={categories} />
        ) : (
          <span class="muted">{t.none}</span>
        )}
      </Fact>
      {Object.entries(contact.attributes).map(([name, value]) => (
        <Fact key={name} name={name}>
          {value}
        </Fact>
      ))}
      <Fact name={t.created}>
        <Moment at={contact.created_at} />
      </Fact>
      <Fact name={t.updated}>
        <Moment at={contact.updated_at} />
      </Fact>
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
