import { useState } from 'preact/hooks'
import { ask } from '../api/client'
import { forget } from '../api/queries'
import { Confirmed } from '../ui/dialog'
import { Icon } from '../ui/icons'
import { bilingual, useWords } from '../words/language'
import { ContactDialog } from './ContactDialog'
import { usualCountry } from './countries'
import type { Contact } from './kind'
import { called } from './useContactChanges'

const texts = bilingual(
  {
    edit: (who: string) => `Edit ${who}`,
    editShort: 'Edit',
    optOut: (who: string) => `Opt out ${who}`,
    optOutShort: 'Opt out',
    optOutTitle: (who: string) => `Never message ${who} again?`,
    optOutMeans:
      'No campaign will message this contact any more, and a running one stops here: an answer that is due is not sent. You can take this back.',
    optOutDo: 'Never message again',
    optIn: (who: string) => `Opt in ${who}`,
    optInShort: 'Opt in',
    optInTitle: (who: string) => `Message ${who} again?`,
    optInMeans: 'Future campaigns may message this contact again. Do this only with their consent.',
    optInDo: 'Allow messages',
    remove: (who: string) => `Delete ${who}`,
    removeShort: 'Delete',
    removeTitle: (who: string) => `Delete ${who}?`,
    removeMeans:
      'The contact leaves all lists and categories. Past campaigns keep what they recorded: their numbers do not change. What a running campaign has not sent yet will not be sent.',
    removeDo: 'Delete contact',
  },
  {
    edit: (who: string) => `Modifier ${who}`,
    editShort: 'Modifier',
    optOut: (who: string) => `Désinscrire ${who}`,
    optOutShort: 'Désinscrire',
    optOutTitle: (who: string) => `Ne plus jamais écrire à ${who}\u00a0?`,
    optOutMeans:
      "Plus aucune campagne n'écrira à ce contact, et celle qui est en cours s'arrête là\u00a0: un message 2 attendu n'est pas envoyé. Vous pourrez revenir sur ce choix.",
    optOutDo: 'Ne plus écrire',
    optIn: (who: string) => `Réinscrire ${who}`,
    optInShort: 'Réinscrire',
    optInTitle: (who: string) => `Écrire de nouveau à ${who}\u00a0?`,
    optInMeans: 'Les prochaines campagnes pourront de nouveau lui écrire. Seulement avec son accord.',
    optInDo: 'Autoriser les messages',
    remove: (who: string) => `Supprimer ${who}`,
    removeShort: 'Supprimer',
    removeTitle: (who: string) => `Supprimer ${who}\u00a0?`,
    removeMeans:
      "Le contact quitte toutes les listes et catégories. Les campagnes passées gardent ce qu'elles ont enregistré\u00a0: leurs chiffres ne changent pas. Ce qu'une campagne en cours n'a pas encore envoyé ne le sera pas.",
    removeDo: 'Supprimer le contact',
  },
)

/** What was known of contacts may have changed. */
export const forgetContacts = () => forget('/contacts', '/contacts/{id}', '/contacts/{id}/timeline', '/categories')

/** What can be done with one contact; in a list, as icons. */
export function ContactActions(props: { contact: Contact; remove: (contact: Contact) => void; bare?: boolean }) {
  const t = useWords(texts)
  const { contact, bare } = props
  const who = called(contact)
  const path = { params: { path: { id: contact.id } } }
  return (
    <>
      <Edit contact={contact} bare={bare} />
      {contact.opted_out_at === null ? (
        <Confirmed
          bare={bare}
          icon="forbid"
          label={bare ? t.optOut(who) : t.optOutShort}
          title={t.optOutTitle(who)}
          confirm={t.optOutDo}
          run={async () => {
            await ask('post', '/contacts/{id}/opt-out', path)
            await forgetContacts()
          }}
        >
          <p>{t.optOutMeans}</p>
        </Confirmed>
      ) : (
        <Confirmed
          bare={bare}
          icon="check"
          harmless
          label={bare ? t.optIn(who) : t.optInShort}
          title={t.optInTitle(who)}
          confirm={t.optInDo}
          run={async () => {
            await ask('post', '/contacts/{id}/opt-in', path)
            await forgetContacts()
          }}
        >
          <p>{t.optInMeans}</p>
        </Confirmed>
      )}
      <Confirmed
        bare={bare}
        icon="trash"
        label={bare ? t.remove(who) : t.removeShort}
        title={t.removeTitle(who)}
        confirm={t.removeDo}
        run={async () => props.remove(contact)}
      >
        <p>{t.removeMeans}</p>
      </Confirmed>
    </>
  )
}

function Edit({ contact, bare }: { contact: Contact; bare?: boolean }) {
  const t = useWords(texts)
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const save = async ({ id, phone, country, name, attributes, category_ids }: Contact) => {
    setBusy(true)
    setError(undefined)
    try {
      await ask('put', '/contacts/{id}', {
        params: { path: { id } },
        body: { phone, name, attributes, category_ids, ...(country ? { country } : {}) },
      })
      await forgetContacts()
      setOpen(false)
    } catch (refusal) {
      setError(refusal)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <button
        type="button"
        class={bare ? 'button bare' : 'button'}
        aria-label={bare ? t.edit(called(contact)) : undefined}
        onClick={() => {
          setError(undefined)
          setOpen(true)
        }}
      >
        <Icon name="edit" />
        {!bare && t.editShort}
      </button>
      {open && (
        <ContactDialog
          contact={{ ...contact, country: usualCountry() }}
          error={error}
          busy={busy}
          save={save}
          close={() => setOpen(false)}
        />
      )}
    </>
  )
}
