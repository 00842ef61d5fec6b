import { useInfiniteQuery, useQuery } from '@tanstack/preact-query'
import { Link, useLocation } from 'wouter-preact'
import { joinPages } from '../api/changes'
import { ask, type Schemas } from '../api/client'
import type { Liveness } from '../api/live'
import { pages } from '../api/queries'
import { Confirmed } from '../ui/dialog'
import { Icon } from '../ui/icons'
import { Live } from '../ui/Live'
import { Failure, GoTo, Moment, Skeleton, StatusBadge, Title } from '../ui/parts'
import { tell } from '../ui/toast'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { CampaignTexts } from './CampaignTexts'
import { launch, remove, startNow } from './decisions'
import { useStatusReason } from './statusReason'

const texts = bilingual(
  {
    edit: 'Edit',
    start: 'Start now',
    startTitle: 'Start this campaign now?',
    startWhat: (n: string, one: boolean) =>
      one ? 'Message 1 begins to leave to 1 contact at once.' : `Message 1 begins to leave to ${n} contacts at once.`,
    startUnknown: 'Message 1 begins to leave at once.',
    startThen: 'From then on the texts and the audience are fixed. It can be paused and cancelled.',
    schedule: 'Schedule',
    scheduleTitle: 'Let this campaign start by itself?',
    scheduleWhat: 'It starts at the time that is planned, also when nobody is logged in. Until then it can be changed.',
    delete: 'Delete',
    deleteTitle: 'Delete this campaign?',
    deleteWhat: 'Its texts and its audience are forgotten; nothing has been sent. The contacts stay.',
    deleted: (name: string) => `“${name}” is deleted.`,
    starts: 'Starts',
    draft: 'Nothing is sent before it is started.',
    audience: 'Audience',
    categories: 'Categories',
    category: 'Category',
    picked: (n: string, one: boolean) => (one ? '1 contact chosen one by one' : `${n} contacts chosen one by one`),
    forecast: 'If it started now',
    contacts: 'contacts',
    message_1: 'would be sent Message 1',
    message_2: (rate: string) => `would be answered, if ${rate} reply`,
    not_reached: 'would not be reached in time',
    last: 'Last Message 1:',
    complete: 'Complete:',
  },
  {
    edit: 'Modifier',
    start: 'Démarrer maintenant',
    startTitle: 'Démarrer cette campagne maintenant\u00a0?',
    startWhat: (n: string, one: boolean) =>
      one
        ? 'Le message 1 part immédiatement vers 1 contact.'
        : `Le message 1 commence immédiatement à partir vers ${n} contacts.`,
    startUnknown: 'Le message 1 commence immédiatement à partir.',
    startThen:
      'À partir de là, les textes et les destinataires ne changent plus. Elle peut être mise en pause et annulée.',
    schedule: 'Programmer',
    scheduleTitle: 'Laisser cette campagne démarrer d’elle-même\u00a0?',
    scheduleWhat: 'Elle démarre à l’heure prévue, même si personne n’est connecté. D’ici là, elle peut être modifiée.',
    delete: 'Supprimer',
    deleteTitle: 'Supprimer cette campagne\u00a0?',
    deleteWhat: 'Ses textes et ses destinataires sont oubliés\u00a0; rien n’a été envoyé. Les contacts restent.',
    deleted: (name: string) => `«\u00a0${name}\u00a0» est supprimée.`,
    starts: 'Démarre',
    draft: 'Rien n’est envoyé avant qu’elle soit démarrée.',
    audience: 'Destinataires',
    categories: 'Catégories',
    category: 'Catégorie',
    picked: (n: string, one: boolean) => (one ? '1 contact choisi à l’unité' : `${n} contacts choisis un par un`),
    forecast: 'Si elle démarrait maintenant',
    contacts: 'contacts',
    message_1: 'recevraient le message 1',
    message_2: (rate: string) => `recevraient le message 2, si ${rate} répondent`,
    not_reached: 'ne seraient pas atteints à temps',
    last: 'Dernier message 1\u00a0:',
    complete: 'Fin\u00a0:',
  },
)

/** A campaign that has not begun: what is planned, and what can be done with it. */
export function CampaignPlan(props: {
  campaign: Schemas['Campaign']
  liveness: Liveness
  back: { to: string; name: string }
}) {
  const t = useWords(texts)
  const format = useFormat()
  const reason = useStatusReason()
  const [, goTo] = useLocation()
  const { campaign } = props
  const forecast = useForecast(campaign)
  const contacts = forecast.data?.contacts
  const planned = campaign.scheduled_at && Date.parse(campaign.scheduled_at) > Date.now()
  const drop = async () => {
    await remove(campaign.id)
    tell(t.deleted(campaign.name))
    goTo('/campaigns')
  }
  return (
    <div class="stack campaign" data-ready>
      <Title
        back={props.back}
        aside={
          <>
            <GoTo to={`/campaigns/${campaign.id}/edit`} icon="edit">
              {t.edit}
            </GoTo>
            {campaign.status === 'draft' && planned && (
              <Confirmed
                label={t.schedule}
                icon="clock"
                title={t.scheduleTitle}
                confirm={t.schedule}
                run={() => launch(campaign.id)}
                harmless
              >
                <p>
                  {t.starts} <Moment at={campaign.scheduled_at} />. {t.scheduleWhat}
                </p>
              </Confirmed>
            )}
            <Confirmed
              label={t.start}
              icon="play"
              title={t.startTitle}
              confirm={t.start}
              run={() => startNow(campaign)}
              harmless
            >
              <p>{contacts === undefined ? t.startUnknown : t.startWhat(format.number(contacts), contacts === 1)}</p>
              <p>{t.startThen}</p>
            </Confirmed>
            <Confirmed label={t.delete} icon="trash" title={t.deleteTitle} confirm={t.delete} run={drop}>
              <p>{t.deleteWhat}</p>
            </Confirmed>
          </>
        }
      >
        {campaign.name}
      </Title>
      <p class="row facts">
        <StatusBadge status={campaign.status} />
        <span class="muted">
          {campaign.status === 'scheduled' || planned ? (
            <>
              {t.starts} <Moment at={campaign.scheduled_at} />
            </>
          ) : (
            t.draft
          )}
        </span>
        <Live liveness={props.liveness} />
      </p>
      {campaign.status_reason && (
        <div class="notice warn">
          <Icon name="warning" />
          <p>{reason(campaign.status_reason)}</p>
        </div>
      )}
      <div class="columns">
        <section class="card" aria-labelledby="audience">
          <h2 id="audience">{t.audience}</h2>
          <Audience campaign={campaign} />
        </section>
        <section class="card" aria-labelledby="forecast">
          <h2 id="forecast">{t.forecast}</h2>
          {forecast.data ? (
            <Forecast forecast={forecast.data} />
          ) : forecast.error ? (
            <Failure error={forecast.error} again={forecast.refetch} />
          ) : (
            <Skeleton lines={3} height={44} />
          )}
        </section>
      </div>
      <CampaignTexts campaign={campaign} />
    </div>
  )
}

function useForecast(campaign: Schemas['Campaign']) {
  return useQuery({
    queryKey: ['forecast', campaign.id, campaign.updated_at],
    queryFn: () =>
      ask('post', '/campaigns/forecast', {
        body: {
          name: campaign.name,
          message_1: campaign.message_1,
          message_2: campaign.message_2,
          category_ids: campaign.category_ids,
          contact_ids: campaign.contact_ids,
          expected_reply_rate: campaign.expected_reply_rate ?? undefined,
        },
      }),
  })
}

function Audience({ campaign }: { campaign: Schemas['Campaign'] }) {
  const t = useWords(texts)
  const format = useFormat()
  const list = useInfiniteQuery(pages('/categories', { params: { query: { limit: 200 } } }))
  const known = new Map(joinPages(list.data?.pages).items.map((category) => [category.id, category]))
  const picked = campaign.contact_ids?.length ?? 0
  return (
    <ul class="stack">
      {campaign.category_ids.map((id) => {
        const category = known.get(id)
        return (
          <li key={id} class="row apart">
            <Link href={`/contacts?category_id=${id}`}>{category?.name ?? t.category}</Link>
            {category && <span class="number muted">{format.number(category.contact_count)}</span>}
          </li>
        )
      })}
      {picked > 0 && <li>{t.picked(format.number(picked), picked === 1)}</li>}
    </ul>
  )
}

function Forecast({ forecast }: { forecast: Schemas['Forecast'] }) {
  const t = useWords(texts)
  const format = useFormat()
  const figures: [number, string][] = [
    [forecast.contacts, t.contacts],
    [forecast.message_1, t.message_1],
    [forecast.message_2, t.message_2(format.percent(forecast.expected_reply_rate))],
    [forecast.not_reached, t.not_reached],
  ]
  return (
    <>
      <div class="figures forecast">
        {figures.map(([count, name]) => (
          <div key={name} class="figure">
            <span class="value">{format.number(count)}</span>
            <span class="name">{name}</span>
          </div>
        ))}
      </div>
      <p class="row muted">
        {forecast.last_message_1_at && (
          <span>
            {t.last} <Moment at={forecast.last_message_1_at} />
          </span>
        )}
        {forecast.completes_at && (
          <span>
            {t.complete} <Moment at={forecast.completes_at} />
          </span>
        )}
      </p>
    </>
  )
}
