import { Link, useSearchParams } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { StateBar, states } from '../ui/meters'
import { useFormat } from '../words/format'
import { useWords } from '../words/language'
import { terms } from '../words/terms'
import { recipientsOf } from './links'
import { showRecipients } from './Recipients'

/** In which state how many are; a state leads to the recipients in it. */
export function States({ id, stats }: { id: string; stats: Schemas['Stats'] }) {
  const t = useWords(terms)
  const format = useFormat()
  const [query] = useSearchParams()
  return (
    <>
      <StateBar counts={stats.states} total={stats.total_contacts} />
      <ul class="legend">
        {states.map((state) => {
          const count = stats.states[state] ?? 0
          return (
            <li key={state} class={count ? undefined : 'nobody'}>
              <Link
                href={recipientsOf(id, { state })}
                onClick={showRecipients}
                aria-current={query.get('state') === state ? 'true' : undefined}
              >
                <span class={`dot fill ${state}`} />
                <span class="name">{t.recipientState[state]}</span>
                <span class="number">{format.number(count)}</span>
              </Link>
            </li>
          )
        })}
      </ul>
    </>
  )
}
