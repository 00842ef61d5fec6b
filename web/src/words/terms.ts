import type { Schemas } from '../api/client'
import { bilingual } from './language'

export type CampaignStatus = Schemas['Campaign']['status']
export type RecipientState = Schemas['Recipient']['state']
export type MessageStatus = Schemas['Message']['status']
export type MessageType = Schemas['Message']['message_type']
export type InteractionType = NonNullable<Schemas['Timeline']['interaction_type']>

/** The words of the field, the same on every screen. */
export const terms = bilingual(
  {
    campaignStatus: {
      draft: 'Draft',
      scheduled: 'Scheduled',
      running: 'Running',
      paused: 'Paused',
      completed: 'Completed',
      cancelled: 'Cancelled',
    } as Record<CampaignStatus, string>,
    recipientState: {
      pending: 'Waiting to be sent',
      admitted: 'About to be sent',
      message_1_sent: 'Waiting for a reply',
      replied: 'Replied, answer on its way',
      message_2_sent: 'Answered',
      no_interaction: 'No reply',
      late_interaction: 'Replied too late',
      failed: 'Failed',
      not_sent: 'Not sent',
      stopped: 'Stopped',
    } as Record<RecipientState, string>,
    messageStatus: {
      pending: 'Waiting',
      sending: 'Being sent',
      sent: 'Accepted by WhatsApp',
      delivered: 'Delivered',
      read: 'Read',
      failed: 'Failed',
      no_interaction: 'No reply',
      unknown: 'Unknown whether it left',
    } as Record<MessageStatus, string>,
    messageType: { message_1: 'Message 1', message_2: 'Message 2' } as Record<MessageType, string>,
    interactionType: {
      text: 'Text',
      emoji: 'Emoji',
      voice: 'Voice message',
      audio: 'Audio',
      image: 'Picture',
      video: 'Video',
      document: 'Document',
    } as Record<InteractionType, string>,
    reason: {
      deadline: 'The campaign ended before it could leave',
      cancelled: 'The campaign was cancelled',
      opted_out: 'Opted out',
      contact_deleted: 'The contact was deleted',
      invalid_number: 'Not a WhatsApp number',
      refused: 'Refused by WhatsApp',
      attempts_spent: 'Every attempt failed',
      undelivered: 'WhatsApp could not deliver it',
      message_1_unknown: 'Unknown whether Message 1 left',
      message_2_unknown: 'Unknown whether Message 2 left',
    } as Record<string, string>,
  },
  {
    campaignStatus: {
      draft: 'Brouillon',
      scheduled: 'Programmée',
      running: 'En cours',
      paused: 'En pause',
      completed: 'Terminée',
      cancelled: 'Annulée',
    } as Record<CampaignStatus, string>,
    recipientState: {
      pending: "En attente d'envoi",
      admitted: 'Sur le point de partir',
      message_1_sent: 'Attend une réponse',
      replied: 'A répondu, message 2 en route',
      message_2_sent: 'Message 2 envoyé',
      no_interaction: 'Sans réponse',
      late_interaction: 'A répondu trop tard',
      failed: 'Échec',
      not_sent: 'Non envoyé',
      stopped: 'Arrêté',
    } as Record<RecipientState, string>,
    messageStatus: {
      pending: 'En attente',
      sending: "En cours d'envoi",
      sent: 'Accepté par WhatsApp',
      delivered: 'Distribué',
      read: 'Lu',
      failed: 'Échec',
      no_interaction: 'Sans réponse',
      unknown: "On ignore s'il est parti",
    } as Record<MessageStatus, string>,
    messageType: { message_1: 'Message 1', message_2: 'Message 2' } as Record<MessageType, string>,
    interactionType: {
      text: 'Texte',
      emoji: 'Emoji',
      voice: 'Message vocal',
      audio: 'Audio',
      image: 'Image',
      video: 'Vidéo',
      document: 'Document',
    } as Record<InteractionType, string>,
    reason: {
      deadline: "La campagne s'est terminée avant l'envoi",
      cancelled: 'La campagne a été annulée',
      opted_out: 'Désinscrit',
      contact_deleted: 'Le contact a été supprimé',
      invalid_number: 'Pas un numéro WhatsApp',
      refused: 'Refusé par WhatsApp',
      attempts_spent: 'Toutes les tentatives ont échoué',
      undelivered: "WhatsApp n'a pas pu le distribuer",
      message_1_unknown: 'On ignore si le message 1 est parti',
      message_2_unknown: 'On ignore si le message 2 est parti',
    } as Record<string, string>,
  },
)
