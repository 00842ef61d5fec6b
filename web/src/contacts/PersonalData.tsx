import { useState } from 'preact/hooks'
import { useLocation } from 'wouter-preact'
import { ask, Problem } from '../api/client'
import { forget } from '../api/queries'
import { Confirmed } from '../ui/dialog'
import { Icon } from '../ui/icons'
import { useReason } from '../ui/parts'
import { tell } from '../ui/toast'
import { bilingual, useWords } from '../words/language'
import { forgetContacts } from './ContactActions'
import type { Contact } from './kind'
import { called } from './useContactChanges'

const texts = bilingual(
  {
    title: 'Personal data',
    hint: 'Everything that is stored about this person, wherever it is.',
    download: 'Export data',
    nothing: 'Nothing is stored about this person.',
    erase: 'Erase',
    eraseTitle: (who: string) => `Erase everything about ${who}?`,
    somebody: 'this person',
    means:
      'The number, the name, the variables and all they wrote are removed for good: from the contacts, from past and running campaigns, and within about two minutes from what the provider told.',
    sends: 'Nothing more is sent, and an answer that is due is not either. The counts of campaigns do not change.',
    optedOut: 'That they opted out stays known, in a form that does not tell the number.',
    notOptedOut:
      'They have not opted out: whoever imports the number again may message them. If they must be left alone, opt them out first.',
    final: 'This cannot be undone.',
    eraseDo: 'Erase for good',
    erased: 'Erased. Traces in what the provider told are gone within about two minutes.',
  },
  {
    title: 'Données personnelles',
    hint: 'Tout ce qui est enregistré sur cette personne, où que ce soit.',
    download: 'Exporter les données',
    nothing: "Rien n'est enregistré sur cette personne.",
    erase: 'Effacer',
    eraseTitle: (who: string) => `Effacer tout ce qui concerne ${who}\u00a0?`,
    somebody: 'cette personne',
    means:
      "Le numéro, le nom, les variables et tout ce qu'elle a écrit disparaissent définitivement\u00a0: des contacts, des campagnes passées et en cours et, en deux minutes environ, de ce que le fournisseur a transmis.",
    sends: "Plus rien n'est envoyé, pas même un message 2 attendu. Les chiffres des campagnes ne changent pas.",
    optedOut: 'Sa désinscription reste connue, sous une forme qui ne révèle pas le numéro.',
    notOptedOut:
      "Cette personne n'est pas désinscrite\u00a0: si son numéro est de nouveau importé, on pourra lui écrire. Si elle doit être laissée tranquille, désinscrivez-la d'abord.",
    final: 'Cette action est irréversible.',
    eraseDo: 'Effacer définitivement',
    erased: 'Données effacées. Les traces dans ce que le fournisseur a transmis disparaissent en deux minutes environ.',
  },
)

/** All that is stored about a person: to take along, and to erase; of a deleted contact, which has no name any more, too. */
export function PersonalData({ id, contact }: { id: string; contact?: Contact }) {
  const t = useWords(texts)
  const reason = useReason()
  const [, go] = useLocation()
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  // Not a link: it may take a minute, and of a refusal the browser would not say why.
  const download = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      save(await exported(id), `personal-data-${id}.json`)
    } catch (refusal) {
      setFailure(refusal)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section class="card stack" aria-labelledby="personal">
      <h2 id="personal">{t.title}</h2>
      <p class="hint">{t.hint}</p>
      {failure !== undefined && (
        <p class="error" role="alert">
          {failure instanceof Problem && failure.status === 404 ? t.nothing : reason(failure)}
        </p>
      )}
      <div class="actions">
        <button type="button" class="button" disabled={busy} onClick={download}>
          <Icon name="download" />
          {t.download}
        </button>
        <Confirmed
          icon="trash"
          label={t.erase}
          title={t.eraseTitle(contact ? called(contact) : t.somebody)}
          confirm={t.eraseDo}
          run={async () => {
            await ask('post', '/contacts/{id}/erase', { params: { path: { id } } })
            go('/contacts')
            tell(t.erased)
            await Promise.all([forgetContacts(), forget('/campaigns/{id}/recipients', '/messages')])
          }}
        >
          <p>{t.means}</p>
          <p>{t.sends}</p>
          {contact && <p>{contact.opted_out_at ? t.optedOut : t.notOptedOut}</p>}
          <p>{t.final}</p>
        </Confirmed>
      </div>
    </section>
  )
}

/** The export byte by byte: what the provider told may hold numbers that JavaScript would round. */
const exported = (id: string) =>
  ask('get', '/contacts/{id}/personal-data', {
    params: { path: { id } },
    parseAs: 'blob',
  }) as Promise<unknown> as Promise<Blob>

function save(file: Blob, name: string) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000) // by then the browser has it
}
