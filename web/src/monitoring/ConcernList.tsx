import { Link, useLocation } from 'wouter-preact'
import { Icon } from '../ui/icons'
import { Moment } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import type { Concern } from './concerns'

const texts = bilingual(
  {
    title: 'Needs a person',
    look: 'Look',
    since: 'since',
    next: 'the next place is free at',
    says: {
      device_halted: () => 'The WhatsApp device cannot send. Check it at the provider, then resume a campaign.',
      temporal_away: () => 'Temporal cannot be reached: nothing is sent until it is back. Nothing is lost.',
      no_workers: () => 'No worker is running: nobody sends at the moment. Start one.',
      answers_late: (n: string, one: boolean) =>
        one
          ? 'One reply has waited for its answer for more than a minute.'
          : `${n} replies have waited for their answer for more than a minute.`,
      quota_blocked: () => 'The quota is used up: nothing may leave for now.',
      quota_danger: (n: string, one: boolean) =>
        one ? 'Only one message may still leave for now.' : `Only ${n} messages may still leave for now.`,
      campaign_paused_itself: (_n: string, _one: boolean, name: string) => `“${name}” has paused itself.`,
      unknown_outcomes: (n: string, one: boolean) =>
        one ? 'Of one message nobody can tell whether it left.' : `Of ${n} messages nobody can tell whether they left.`,
      webhooks_late: (n: string, one: boolean) =>
        one
          ? 'One notice from the provider has not been applied yet.'
          : `${n} notices from the provider have not been applied yet.`,
      redis_away: () => 'Redis cannot be reached. Everything works, a little slower.',
      import_failed: () => 'An import failed.',
      import_rejected: (n: string, one: boolean) =>
        one ? 'One row of an import could not be used.' : `${n} rows of an import could not be used.`,
    },
  },
  {
    title: 'À regarder',
    look: 'Voir',
    since: 'depuis',
    next: 'la prochaine place se libère à',
    says: {
      device_halted: () =>
        "L'appareil WhatsApp ne peut plus envoyer. Vérifiez-le chez le fournisseur, puis reprenez une campagne.",
      temporal_away: () => "Temporal est injoignable\u00a0: rien ne part jusqu'à son retour. Rien n'est perdu.",
      no_workers: () => "Aucun worker ne tourne\u00a0: personne n'envoie en ce moment. Démarrez-en un.",
      answers_late: (n: string, one: boolean) =>
        one
          ? 'Une réponse attend son message 2 depuis plus d’une minute.'
          : `${n} réponses attendent leur message 2 depuis plus d’une minute.`,
      quota_blocked: () => "Le quota est épuisé\u00a0: rien ne peut partir pour l'instant.",
      quota_danger: (n: string, one: boolean) =>
        one
          ? "Un seul message peut encore partir pour l'instant."
          : `Seuls ${n} messages peuvent encore partir pour l'instant.`,
      campaign_paused_itself: (_n: string, _one: boolean, name: string) => `«\u00a0${name}\u00a0» s'est mise en pause.`,
      unknown_outcomes: (n: string, one: boolean) =>
        one ? 'On ignore si un message est parti.' : `On ignore si ${n} messages sont partis.`,
      webhooks_late: (n: string, one: boolean) =>
        one
          ? "Un avis du fournisseur n'a pas encore été appliqué."
          : `${n} avis du fournisseur n'ont pas encore été appliqués.`,
      redis_away: () => 'Redis est injoignable. Tout fonctionne, un peu moins vite.',
      import_failed: () => 'Une importation a échoué.',
      import_rejected: (n: string, one: boolean) =>
        one
          ? "Une ligne d'une importation n'a pas pu être utilisée."
          : `${n} lignes d'une importation n'ont pas pu être utilisées.`,
    },
  },
)

/** What a person should look at; nothing at all when all is well. */
export function ConcernList({ concerns }: { concerns: Concern[] }) {
  const t = useWords(texts)
  const format = useFormat()
  const [here] = useLocation()
  if (concerns.length === 0) return null
  return (
    <section class="stack concerns" aria-label={t.title}>
      {concerns.map((concern) => {
        const count = concern.count ?? 0
        return (
          <div key={`${concern.kind}${concern.link}`} class={`notice ${concern.level}`}>
            <Icon name="warning" />
            <p>
              {t.says[concern.kind](format.number(count), count === 1, concern.name ?? '')}{' '}
              {concern.reason && <span class="muted">({concern.reason}) </span>}
              {concern.since && (
                <span class="muted">
                  {concern.kind === 'quota_blocked' ? t.next : t.since} <Moment at={concern.since} />
                </span>
              )}
            </p>
            {concern.link && concern.link !== here && (
              <Link class="button small" href={concern.link}>
                {t.look}
              </Link>
            )}
          </div>
        )
      })}
    </section>
  )
}
