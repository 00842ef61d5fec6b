import type { ComponentChildren } from 'preact'
import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { Moment } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { LATE } from './concerns'

const texts = bilingual(
  {
    capacity: 'Room for new contacts',
    capacityMore: 'could be sent Message 1 now, with room kept for their answers',
    rate: 'Reply rate',
    rateMore: 'of those written to in the last seven days replied in time',
    rateNone: 'nobody has been written to in the last seven days',
    device: 'WhatsApp device',
    deviceOK: 'can send',
    deviceHalted: 'halted',
    deviceWhat: 'Check it at the provider, then resume a campaign: that tries again.',
    workers: 'Workers',
    workersMore: (n: number) => (n === 1 ? 'process runs campaigns' : 'processes run campaigns'),
    workersNone: 'nobody sends at the moment',
    seen: 'last seen',
    temporal: 'Temporal',
    temporalAway: 'campaigns wait until it is back',
    redis: 'Redis',
    redisAway: 'answers come from the database, a little slower',
    redisOff: 'not set up; everything works without it',
    answers: 'Answers owed',
    answersNone: 'every reply in time has been answered',
    answersMore: 'replied in time and wait for Message 2',
    webhooks: 'Notices to apply',
    webhooksNone: 'all that the provider told has been applied',
    webhooksMore: 'from the provider (deliveries, replies) are stored and wait for their turn',
    oldest: 'the oldest since',
    state: { ok: 'in order', unreachable: 'cannot be reached', off: 'off', unknown: 'asking…' },
  },
  {
    capacity: 'Place pour de nouveaux contacts',
    capacityMore: 'peuvent recevoir le message 1 maintenant, place gardée pour leur répondre',
    rate: 'Taux de réponse',
    rateMore: 'des contacts des sept derniers jours ont répondu à temps',
    rateNone: 'aucun contact sollicité ces sept derniers jours',
    device: 'Appareil WhatsApp',
    deviceOK: 'peut envoyer',
    deviceHalted: 'arrêté',
    deviceWhat: 'Vérifiez-le chez le fournisseur, puis reprenez une campagne\u00a0: cela relance l’envoi.',
    workers: 'Workers',
    workersMore: (n: number) => (n === 1 ? 'processus exécute les campagnes' : 'processus exécutent les campagnes'),
    workersNone: 'personne n’envoie en ce moment',
    seen: 'vu pour la dernière fois',
    temporal: 'Temporal',
    temporalAway: 'les campagnes attendent son retour',
    redis: 'Redis',
    redisAway: 'les réponses viennent de la base, un peu moins vite',
    redisOff: 'non configuré\u00a0; tout fonctionne sans lui',
    answers: 'Messages 2 dus',
    answersNone: 'chaque réponse à temps a reçu son message 2',
    answersMore: 'à envoyer à qui a répondu à temps',
    webhooks: 'Avis à appliquer',
    webhooksNone: 'tout ce que le fournisseur a dit est appliqué',
    webhooksMore: 'du fournisseur (distributions, réponses) sont enregistrés et attendent leur tour',
    oldest: 'le plus ancien depuis',
    state: { ok: 'en ordre', unreachable: 'injoignable', off: 'absent', unknown: 'en cours…' },
  },
)

type Tone = 'good' | 'warn' | 'bad' | 'off'

const tones = { ok: 'good', unreachable: 'bad', off: 'off', unknown: 'off' } as const

/** Each part that sending depends on, with what its state means. */
export function Vitals({ monitoring: m }: { monitoring: Schemas['Monitoring'] }) {
  const t = useWords(texts)
  const format = useFormat()
  const { backlog } = m
  const late = (since: string | null) => since !== null && new Date(m.at).getTime() - new Date(since).getTime() > LATE
  return (
    <dl class="vitals">
      <Vital
        name={t.device}
        tone={m.device.halted ? 'bad' : 'good'}
        value={m.device.halted ? t.deviceHalted : t.deviceOK}
      >
        {m.device.halted && (
          <>
            {m.device.halt_reason} · <Moment at={m.device.halted_at} /> · {t.deviceWhat}
          </>
        )}
      </Vital>
      <Vital
        name={t.workers}
        tone={m.workers.ok ? 'good' : m.temporal === 'unknown' ? 'off' : 'bad'}
        value={format.number(m.workers.polling)}
      >
        {m.workers.ok ? t.workersMore(m.workers.polling) : t.workersNone}
        {m.workers.last_seen_at && (
          <>
            {' '}
            · {t.seen} <Moment at={m.workers.last_seen_at} />
          </>
        )}
      </Vital>
      <Vital name={t.temporal} tone={tones[m.temporal]} value={t.state[m.temporal]}>
        {m.temporal === 'unreachable' && t.temporalAway}
      </Vital>
      <Vital name={t.redis} tone={m.redis === 'unreachable' ? 'warn' : tones[m.redis]} value={t.state[m.redis]}>
        {m.redis === 'unreachable' ? t.redisAway : m.redis === 'off' ? t.redisOff : null}
      </Vital>
      <Vital
        name={t.answers}
        tone={late(backlog.oldest_answer_at) ? 'bad' : 'good'}
        value={format.number(backlog.answers)}
        to="/messages?type=message_2&status=pending"
      >
        {backlog.oldest_answer_at ? (
          <>
            {t.answersMore} · {t.oldest} <Moment at={backlog.oldest_answer_at} />
          </>
        ) : (
          t.answersNone
        )}
      </Vital>
      <Vital
        name={t.webhooks}
        tone={late(backlog.oldest_webhook_at) ? 'warn' : 'good'}
        value={format.number(backlog.webhooks)}
      >
        {backlog.oldest_webhook_at ? (
          <>
            {t.webhooksMore} · {t.oldest} <Moment at={backlog.oldest_webhook_at} />
          </>
        ) : (
          t.webhooksNone
        )}
      </Vital>
      <Vital name={t.capacity} tone="off" value={format.number(m.remaining_capacity)} to="/campaigns/new">
        {t.capacityMore}
      </Vital>
      <Vital
        name={t.rate}
        tone="off"
        value={m.reply_rate === null ? '–' : format.percent(m.reply_rate)}
        to="/campaigns"
      >
        {m.reply_rate === null ? t.rateNone : t.rateMore}
      </Vital>
    </dl>
  )
}

function Vital(props: { name: string; tone: Tone; value: string; to?: string; children: ComponentChildren }) {
  return (
    <div class="vital">
      <dt>
        <span class={`pulse ${props.tone}`} />
        {props.name}
      </dt>
      <dd>
        <span class="strong number">{props.to ? <Link href={props.to}>{props.value}</Link> : props.value}</span>
        {props.children && <span class="muted"> {props.children}</span>}
      </dd>
    </div>
  )
}
