import { GoTo } from '../ui/parts'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    title: 'Three steps to your first campaign',
    contacts: 'Bring your contacts',
    contactsHow: 'A CSV file from a spreadsheet will do: a phone number in each row, and a name.',
    import: 'Import contacts',
    campaign: 'Write two messages',
    campaignHow:
      'The first goes to everybody, the second to whoever replies within 24 hours. You see beforehand how it will run.',
    prepare: 'Prepare a campaign',
    home: 'Launch, and go home',
    homeHow: 'Relance sends within your quota, answers in seconds and closes the campaign by itself.',
  },
  {
    title: 'Trois étapes pour votre première campagne',
    contacts: 'Apportez vos contacts',
    contactsHow: 'Un fichier CSV issu d’un tableur suffit\u00a0: un numéro de téléphone par ligne, et un nom.',
    import: 'Importer des contacts',
    campaign: 'Écrivez deux messages',
    campaignHow:
      'Le premier part à tout le monde, le second à qui répond dans les 24 heures. Vous voyez d’avance comment cela se passera.',
    prepare: 'Préparer une campagne',
    home: 'Lancez, et rentrez chez vous',
    homeHow:
      'Relance envoie dans la limite de votre quota, répond en quelques secondes et clôt la campagne toute seule.',
  },
)

/** For whoever has just installed Relance. */
export function FirstSteps() {
  const t = useWords(texts)
  return (
    <section class="card" aria-labelledby="first-steps">
      <h2 id="first-steps">{t.title}</h2>
      <ol class="columns first-steps">
        <li class="stack">
          <h3>1. {t.contacts}</h3>
          <p class="muted">{t.contactsHow}</p>
          <p>
            <GoTo to="/contacts/import" icon="upload" main>
              {t.import}
            </GoTo>
          </p>
        </li>
        <li class="stack">
          <h3>2. {t.campaign}</h3>
          <p class="muted">{t.campaignHow}</p>
          <p>
            <GoTo to="/campaigns/new" icon="edit">
              {t.prepare}
            </GoTo>
          </p>
        </li>
        <li class="stack">
          <h3>3. {t.home}</h3>
          <p class="muted">{t.homeHow}</p>
        </li>
      </ol>
    </section>
  )
}
