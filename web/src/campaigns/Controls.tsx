import { useState } from 'preact/hooks'
import type { Schemas } from '../api/client'
import { Confirmed } from '../ui/dialog'
import { Icon, type IconName } from '../ui/icons'
import { useReason } from '../ui/parts'
import { tell } from '../ui/toast'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { cancel, pause, resume, retryFailed } from './decisions'

const texts = bilingual(
  {
    pause: 'Pause',
    paused: 'Paused. No new Message 1 leaves; replies are still answered.',
    resume: 'Resume',
    resumed: 'The campaign goes on.',
    cancel: 'Cancel',
    cancelTitle: 'Cancel this campaign for good?',
    cancelUnsent: (n: string, one: boolean) =>
      one
        ? '1 contact has not been sent Message 1 and will not be.'
        : `${n} contacts have not been sent Message 1 and will not be.`,
    cancelAllSent: 'Message 1 has left for everybody it could.',
    cancelOpen: (n: string, one: boolean) =>
      one
        ? '1 contact was sent Message 1 and may still reply: the reply will no longer be answered.'
        : `${n} contacts were sent Message 1 and may still reply: their replies will no longer be answered.`,
    cancelFinal: 'Nothing more leaves from then on. A cancelled campaign cannot be resumed.',
    cancelConfirm: 'Cancel the campaign',
    retry: (n: string) => `Retry failed (${n})`,
    retryTitle: 'Try again whom Message 1 could not be sent to?',
    retryWhat: (n: string, one: boolean) =>
      one
        ? 'Message 1 failed for 1 contact. If it surely never left, it is tried again, up to four times.'
        : `Message 1 failed for ${n} contacts. Those it surely never left for are tried again, up to four times each.`,
    retryConfirm: 'Try again',
    retried: (n: string, one: boolean) =>
      one ? '1 contact gets another chance.' : `${n} contacts get another chance.`,
    retriedNone: 'There is nobody for whom trying again could help.',
  },
  {
    pause: 'Mettre en pause',
    paused: 'En pause. Aucun nouveau message 1 ne part\u00a0; les réponses reçoivent toujours le message 2.',
    resume: 'Reprendre',
    resumed: 'La campagne continue.',
    cancel: 'Annuler',
    cancelTitle: 'Annuler définitivement cette campagne\u00a0?',
    cancelUnsent: (n: string, one: boolean) =>
      one
        ? '1 contact n’a pas reçu le message 1 et ne le recevra pas.'
        : `${n} contacts n’ont pas reçu le message 1 et ne le recevront pas.`,
    cancelAllSent: 'Le message 1 est parti à tous ceux qui pouvaient le recevoir.',
    cancelOpen: (n: string, one: boolean) =>
      one
        ? '1 contact a reçu le message 1 et peut encore répondre\u00a0: sa réponse restera sans message 2.'
        : `${n} contacts ont reçu le message 1 et peuvent encore répondre\u00a0: leurs réponses resteront sans message 2.`,
    cancelFinal: 'Plus rien ne partira ensuite. Une campagne annulée ne peut pas être reprise.',
    cancelConfirm: 'Annuler la campagne',
    retry: (n: string) => `Réessayer les échecs (${n})`,
    retryTitle: 'Réessayer ceux à qui le message 1 n’a pas pu être envoyé\u00a0?',
    retryWhat: (n: string, one: boolean) =>
      one
        ? 'Le message 1 a échoué pour 1 contact. S’il n’est certainement jamais parti, il est retenté, jusqu’à quatre fois.'
        : `Le message 1 a échoué pour ${n} contacts. Il est retenté, jusqu’à quatre fois, pour ceux à qui il n’est certainement jamais parti.`,
    retryConfirm: 'Réessayer',
    retried: (n: string, one: boolean) =>
      one ? '1 contact a une nouvelle chance.' : `${n} contacts ont une nouvelle chance.`,
    retriedNone: 'Il n’y a personne pour qui réessayer servirait.',
  },
)

/** What an admin can decide about a campaign that has not ended. */
export function Controls({ campaign, stats }: { campaign: Schemas['Campaign']; stats: Schemas['Stats'] }) {
  const t = useWords(texts)
  const format = useFormat()
  const { id, status } = campaign
  if (status !== 'running' && status !== 'paused') return null
  const counted = (words: (n: string, one: boolean) => string, n: number) => words(format.number(n), n === 1)
  const { pending = 0, admitted = 0, message_1_sent = 0, replied = 0 } = stats.states
  const unsent = pending + admitted
  const open = message_1_sent + replied
  const failed = stats.by_type.message_1.failed
  const retry = async () => {
    const retried = await retryFailed(id)
    tell(retried ? counted(t.retried, retried) : t.retriedNone)
  }
  return (
    <>
      {status === 'running' ? (
        <Decision key="pause" label={t.pause} icon="pause" run={() => pause(id)} done={t.paused} />
      ) : (
        <Decision key="resume" label={t.resume} icon="play" run={() => resume(id)} done={t.resumed} />
      )}
      {failed > 0 && (
        <Confirmed
          label={t.retry(format.number(failed))}
          icon="retry"
          title={t.retryTitle}
          confirm={t.retryConfirm}
          run={retry}
          harmless
        >
          <p>{counted(t.retryWhat, failed)}</p>
        </Confirmed>
      )}
      <Confirmed label={t.cancel} icon="stop" title={t.cancelTitle} confirm={t.cancelConfirm} run={() => cancel(id)}>
        <p>{unsent ? counted(t.cancelUnsent, unsent) : t.cancelAllSent}</p>
        {open > 0 && <p>{counted(t.cancelOpen, open)}</p>}
        <p>{t.cancelFinal}</p>
      </Confirmed>
    </>
  )
}

/** A decision that can be taken back: it needs no question. */
function Decision(props: { label: string; icon: IconName; run: () => Promise<unknown>; done: string }) {
  const reason = useReason()
  const [busy, setBusy] = useState(false)
  const run = async () => {
    setBusy(true)
    try {
      await props.run()
      tell(props.done)
    } catch (refusal) {
      tell(reason(refusal), true)
    } finally {
      setBusy(false)
    }
  }
  return (
    <button type="button" class="button" disabled={busy} onClick={run}>
      <Icon name={props.icon} />
      {props.label}
    </button>
  )
}
