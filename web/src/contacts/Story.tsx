import { useInfiniteQuery } from '@tanstack/preact-query'
import { Link } from 'wouter-preact'
import { joinPages } from '../api/changes'
import { Problem } from '../api/client'
import { pages } from '../api/queries'
import { Failure, Moment, More, Skeleton } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { type InteractionType, type MessageType, terms } from '../words/terms'
import { type Chapter, chapters, type Event, tone } from './story'

const texts = bilingual(
  {
    title: 'Story',
    none: 'Nothing has happened yet.',
    noCampaign: 'No campaign has written to this contact yet.',
    nothingKept: 'No campaign has recorded anything of this contact.',
    created: 'Contact created',
    opted_out: 'Opted out of all messages',
    accepted: (message: string) => `${message} accepted by WhatsApp`,
    delivered: (message: string) => `${message} delivered`,
    read: (message: string) => `${message} read`,
    failed: (message: string, why?: string) => (why ? `${message} failed: ${why}` : `${message} failed`),
    replied: (what: string, inTime: boolean) => `Replied with ${what}, ${inTime ? 'in time' : 'too late'}`,
    finished: (how: string) => `Finished: ${how}`,
    with: {
      text: 'a text',
      emoji: 'an emoji',
      voice: 'a voice message',
      audio: 'an audio file',
      image: 'a picture',
      video: 'a video',
      document: 'a document',
    } as Record<InteractionType, string>,
    something: 'a message',
  },
  {
    title: 'Histoire',
    none: "Rien ne s'est encore passé.",
    noCampaign: "Aucune campagne n'a encore écrit à ce contact.",
    nothingKept: "Aucune campagne n'a rien enregistré sur ce contact.",
    created: 'Contact créé',
    opted_out: "S'est désinscrit de tous les messages",
    accepted: (message: string) => `${message} accepté par WhatsApp`,
    delivered: (message: string) => `${message} distribué`,
    read: (message: string) => `${message} lu`,
    failed: (message: string, why?: string) =>
      why ? `Échec du ${lower(message)}\u00a0: ${why}` : `Échec du ${lower(message)}`,
    replied: (what: string, inTime: boolean) => `A répondu par ${what}, ${inTime ? 'à temps' : 'trop tard'}`,
    finished: (how: string) => `Fin\u00a0: ${how}`,
    with: {
      text: 'un texte',
      emoji: 'un emoji',
      voice: 'un message vocal',
      audio: 'un fichier audio',
      image: 'une image',
      video: 'une vidéo',
      document: 'un document',
    } as Record<InteractionType, string>,
    something: 'un message',
  },
)

const lower = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)

/** Everything that happened with a contact, oldest first, campaign by campaign. */
export function Story({ id }: { id: string }) {
  const t = useWords(texts)
  const list = useInfiniteQuery({
    ...pages('/contacts/{id}/timeline', { params: { path: { id }, query: { limit: 100 } } }),
    staleTime: 0,
    refetchInterval: 4_000,
  })
  const { items } = joinPages(list.data?.pages)
  const told = chapters(items)
  return (
    <section class="card" aria-labelledby="story">
      <header>
        <h2 id="story">{t.title}</h2>
      </header>
      {list.isPending ? (
        <Skeleton lines={6} height={28} />
      ) : list.error instanceof Problem && list.error.status === 404 ? (
        <p class="muted">{t.nothingKept}</p>
      ) : list.error && !list.data ? (
        <Failure error={list.error} again={list.refetch} />
      ) : (
        <>
          {told.length === 0 && <p class="muted">{t.none}</p>}
          {told.length > 0 && !told.some(({ campaign }) => campaign) && <p class="muted">{t.noCampaign}</p>}
          <ol class="story">
            {told.map((chapter) => (
              <ChapterOf key={chapter.campaign?.id ?? chapter.events[0]?.event} chapter={chapter} />
            ))}
          </ol>
          <More list={list} />
        </>
      )}
    </section>
  )
}

function ChapterOf({ chapter: { campaign, events } }: { chapter: Chapter }) {
  const say = useSaying()
  const lines = events.map((event) => (
    <li key={`${event.event} ${event.message_type} ${event.at}`} class={`event ${tone(event)}`}>
      <span>{say(event)}</span>
      <span class="when">
        <Moment at={event.at} />
      </span>
    </li>
  ))
  if (!campaign) return <>{lines}</>
  return (
    <li class="chapter">
      <h3>
        <Link href={`/campaigns/${campaign.id}`}>{campaign.name}</Link>
      </h3>
      <ol>{lines}</ol>
    </li>
  )
}

/** An event in plain words. */
function useSaying() {
  const t = useWords(texts)
  const term = useWords(terms)
  return (event: Event): string => {
    const message = (of: MessageType) => term.messageType[of]
    switch (event.event) {
      case 'created':
      case 'opted_out':
        return t[event.event]
      case 'sent':
        return t.accepted(message('message_1'))
      case 'answered':
        return t.accepted(message('message_2'))
      case 'delivered':
      case 'read':
        return t[event.event](message(event.message_type ?? 'message_1'))
      case 'failed':
        return t.failed(message(event.message_type ?? 'message_1'), event.error)
      case 'replied':
        return t.replied(
          event.interaction_type ? t.with[event.interaction_type] : t.something,
          event.within_24h === true,
        )
      case 'finished': {
        const state = event.state ? lower(term.recipientState[event.state]) : ''
        const reason = event.reason ? (term.reason[event.reason] ?? event.reason) : ''
        return t.finished(reason ? `${state} (${lower(reason)})` : state)
      }
    }
  }
}
