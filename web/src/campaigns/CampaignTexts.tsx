import type { Schemas } from '../api/client'
import { Icon } from '../ui/icons'
import { bilingual, useWords } from '../words/language'
import { terms } from '../words/terms'

const texts = bilingual(
  {
    title: 'What it says',
    when1: 'To everybody',
    when2: 'To whoever replies in time',
    media: 'Media',
    variable: 'filled in for each contact',
    removed: 'The texts, and what filled them in, were removed after the time for which they are kept.',
  },
  {
    title: 'Ce qu’elle dit',
    when1: 'À tout le monde',
    when2: 'À qui répond à temps',
    media: 'Média',
    variable: 'rempli pour chaque contact',
    removed: 'Les textes, et ce qui les complétait, ont été supprimés à la fin de leur durée de conservation.',
  },
)

/** The two messages of a campaign. */
export function CampaignTexts({ campaign }: { campaign: Schemas['Campaign'] }) {
  const t = useWords(texts)
  const { messageType } = useWords(terms)
  if (campaign.texts_removed_at)
    return (
      <section class="card" aria-labelledby="texts">
        <h2 id="texts">{t.title}</h2>
        <p class="muted">{t.removed}</p>
      </section>
    )
  return (
    <section class="card" aria-labelledby="texts">
      <h2 id="texts">{t.title}</h2>
      <div class="columns">
        <Message
          title={messageType.message_1}
          when={t.when1}
          text={campaign.message_1}
          media={campaign.message_1_media_url}
        />
        <Message
          title={messageType.message_2}
          when={t.when2}
          text={campaign.message_2}
          media={campaign.message_2_media_url}
        />
      </div>
    </section>
  )
}

function Message({ title, when, text, media }: { title: string; when: string; text: string; media?: string }) {
  const t = useWords(texts)
  return (
    <div class="stack">
      <h3>
        {title} <span class="muted when">{when}</span>
      </h3>
      <div class="bubble">
        {media && (
          <a class="media" href={media} target="_blank" rel="noopener">
            <img src={media} alt="" loading="lazy" onError={(event) => event.currentTarget.remove()} />
            <span>
              <Icon name="image" />
              {t.media}
            </span>
          </a>
        )}
        <p>
          {text.split(/(\{\{[^}]*\}\})/).map((part, i) =>
            i % 2 ? (
              <span key={i} class="variable" title={t.variable}>
                {part.slice(2, -2)}
              </span>
            ) : (
              part
            ),
          )}
        </p>
      </div>
    </div>
  )
}
