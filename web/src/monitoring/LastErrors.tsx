import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { Moment } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { terms } from '../words/terms'

const texts = bilingual(
  {
    none: 'No errors. What has been put right since is not listed.',
    when: 'When',
    what: 'What',
    why: 'Why',
    where: 'Where',
    kind: {
      message_failed: 'failed',
      message_unknown: 'unknown whether it left',
      webhook_failed: 'A notice from the provider could not be applied',
      import_failed: 'An import failed',
    },
    campaign: 'Campaign',
    contact: 'Contact',
    import: 'Import',
  },
  {
    none: 'Aucune erreur. Ce qui a été réglé depuis n’est pas listé.',
    when: 'Quand',
    what: 'Quoi',
    why: 'Pourquoi',
    where: 'Où',
    kind: {
      message_failed: 'en échec',
      message_unknown: 'on ignore s’il est parti',
      webhook_failed: 'Un avis du fournisseur n’a pas pu être appliqué',
      import_failed: 'Une importation a échoué',
    },
    campaign: 'Campagne',
    contact: 'Contact',
    import: 'Importation',
  },
)

export function LastErrors({ errors }: { errors: Schemas['Failure'][] }) {
  const t = useWords(texts)
  const words = useWords(terms)
  if (errors.length === 0) return <p class="muted">{t.none}</p>
  return (
    <table class="list">
      <thead>
        <tr>
          <th scope="col">{t.when}</th>
          <th scope="col">{t.what}</th>
          <th scope="col">{t.why}</th>
          <th scope="col">{t.where}</th>
        </tr>
      </thead>
      <tbody>
        {errors.map((error) => (
          <tr key={error.id}>
            <td data-name={t.when}>
              <Moment at={error.at} />
            </td>
            <td data-name={t.what}>
              {error.message_type
                ? `${words.messageType[error.message_type]} ${t.kind[error.kind]}`
                : t.kind[error.kind]}
            </td>
            <td data-name={t.why}>{words.reason[error.reason] ?? error.reason}</td>
            <td data-name={t.where}>
              <span class="row">
                {error.campaign_id && <Link href={`/campaigns/${error.campaign_id}`}>{t.campaign}</Link>}
                {error.contact_id && <Link href={`/contacts/${error.contact_id}`}>{t.contact}</Link>}
                {error.kind === 'import_failed' && <Link href={`/contacts/imports/${error.id}`}>{t.import}</Link>}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
