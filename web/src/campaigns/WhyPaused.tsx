import { Link } from 'wouter-preact'
import { Icon } from '../ui/icons'
import { bilingual, useWords } from '../words/language'
import { isHalted, useStatusReason } from './statusReason'

const texts = bilingual(
  {
    meanwhile: 'No new Message 1 leaves; replies are still answered.',
    halted:
      'Nothing leaves, and replies wait for their answer. Check the device at the provider, then resume the campaign: Relance tries again.',
    device: 'To the device',
  },
  {
    meanwhile: 'Aucun nouveau message 1 ne part\u00a0; les réponses reçoivent toujours le message 2.',
    halted:
      'Rien ne part, et les réponses attendent le message 2. Vérifiez l’appareil chez le fournisseur, puis reprenez la campagne\u00a0: Relance essaiera de nouveau.',
    device: 'Vers l’appareil',
  },
)

/** Why a campaign is paused, and what can be done about it. */
export function WhyPaused({ reason }: { reason: string }) {
  const t = useWords(texts)
  const inWords = useStatusReason()
  const halted = isHalted(reason)
  return (
    <div class={halted ? 'notice bad' : 'notice warn'}>
      <Icon name={halted ? 'warning' : 'pause'} />
      <div>
        {reason && <p class="strong">{inWords(reason)}.</p>}
        <p>{halted ? t.halted : t.meanwhile}</p>
      </div>
      {halted && <Link href="/monitoring">{t.device}</Link>}
    </div>
  )
}
