import { useInfiniteQuery } from '@tanstack/preact-query'
import { useSearchParams } from 'wouter-preact'
import { joinPages } from '../api/changes'
import { pages } from '../api/queries'
import { Field } from '../ui/field'
import { bilingual, useWords } from '../words/language'
import { terms } from '../words/terms'

const texts = bilingual(
  {
    campaign: 'Campaign',
    status: 'Status',
    type: 'Message',
    all: 'All',
    this: 'This campaign',
    reached: 'Came as far as',
  },
  {
    campaign: 'Campagne',
    status: 'Statut',
    type: 'Message',
    all: 'Tous',
    this: 'Cette campagne',
    reached: 'Arrivé jusqu’à',
  },
)

export type Reached = 'sent' | 'delivered' | 'read'

/** The filters are the page's address, so that a list can be linked to. */
export function MessageFilters({
  filter,
}: {
  filter: { campaign_id?: string; status?: string; type?: string; reached?: Reached }
}) {
  const t = useWords(texts)
  const words = useWords(terms)
  const [, setSearch] = useSearchParams()
  const campaigns = joinPages(
    useInfiniteQuery(pages('/campaigns', { params: { query: { limit: 200 } } })).data?.pages,
  ).items
  const choose = (name: string) => (event: { currentTarget: HTMLSelectElement }) => {
    const { value } = event.currentTarget
    setSearch((before) => {
      const next = new URLSearchParams(before)
      if (value) next.set(name, value)
      else next.delete(name)
      return next
    })
  }
  const listed = !filter.campaign_id || campaigns.some((campaign) => campaign.id === filter.campaign_id)
  return (
    <div class="filters">
      <Field label={t.campaign}>
        {(attributes) => (
          <select {...attributes} value={filter.campaign_id ?? ''} onChange={choose('campaign_id')}>
            <option value="">{t.all}</option>
            {!listed && <option value={filter.campaign_id}>{t.this}</option>}
            {campaigns.map((campaign) => (
              <option key={campaign.id} value={campaign.id}>
                {campaign.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t.type}>
        {(attributes) => (
          <select {...attributes} value={filter.type ?? ''} onChange={choose('type')}>
            <option value="">{t.all}</option>
            {Object.entries(words.messageType).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t.status}>
        {(attributes) => (
          <select {...attributes} value={filter.status ?? ''} onChange={choose('status')}>
            <option value="">{t.all}</option>
            {Object.entries(words.messageStatus).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t.reached}>
        {(attributes) => (
          <select {...attributes} value={filter.reached ?? ''} onChange={choose('reached')}>
            <option value="">{t.all}</option>
            {(['sent', 'delivered', 'read'] as const).map((value) => (
              <option key={value} value={value}>
                {words.messageStatus[value]}
              </option>
            ))}
          </select>
        )}
      </Field>
    </div>
  )
}
