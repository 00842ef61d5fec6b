import { bilingual, useWords } from '../words/language'
import { providerWords } from './providerWords'

const texts = bilingual(
  {
    admin: 'Paused by an admin',
    missed: 'The start was missed by more than an hour. Start the campaign again if it is still wanted.',
    halted: (said: string) => `WhatsApp no longer lets the device send (${said})`,
  },
  {
    admin: 'Mise en pause par un administrateur',
    missed: 'Le début a été manqué de plus d’une heure. Relancez la campagne si elle est toujours voulue.',
    halted: (said: string) => `WhatsApp ne laisse plus l’appareil envoyer (${said})`,
  },
)

const HALTED = 'device halted: '

/** Whether a campaign was paused because its device cannot send any more. */
export const isHalted = (reason: string) => reason.startsWith(HALTED)

/** Why a campaign is in its status, in the reader's language; empty where that is plain. */
export function useStatusReason() {
  const t = useWords(texts)
  return (reason: string) => {
    if (isHalted(reason)) return t.halted(providerWords(reason.slice(HALTED.length)))
    if (reason.startsWith('Paused by an admin')) return t.admin
    if (reason.startsWith('The start was missed')) return t.missed
    return reason
  }
}
