import { useFormat } from '../words/format'
import { useWords } from '../words/language'
import { type RecipientState, terms } from '../words/terms'

/** In the order of a contact's story; the colours are those of style/meters.css. */
export const states: RecipientState[] = [
  'message_2_sent',
  'replied',
  'message_1_sent',
  'admitted',
  'pending',
  'no_interaction',
  'late_interaction',
  'not_sent',
  'stopped',
  'failed',
]

/** How many are in which state, as one bar. The legend or a table says it in words. */
export function StateBar({ counts, total }: { counts: Partial<Record<RecipientState, number>>; total: number }) {
  const t = useWords(terms)
  const format = useFormat()
  const shown = states.filter((state) => counts[state])
  const said = shown.map((state) => `${t.recipientState[state]}: ${format.number(counts[state] ?? 0)}`).join(', ')
  return (
    <div class="bar" role="img" aria-label={said || '0'}>
      {shown.map((state) => (
        <span
          key={state}
          class={`fill ${state}`}
          title={`${t.recipientState[state]}: ${format.number(counts[state] ?? 0)}`}
          style={{ width: `${(100 * (counts[state] ?? 0)) / Math.max(total, 1)}%` }}
        />
      ))}
    </div>
  )
}

/** A share of a whole, as a plain bar. What it means stands beside it. */
export function Meter({ share, tone = 'ok', label }: { share: number; tone?: string; label: string }) {
  const percent = Math.round(100 * Math.min(1, Math.max(0, share)))
  return (
    <div class="bar" role="meter" aria-label={label} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
      <span class={`fill ${tone}`} style={{ width: `${percent}%` }} />
    </div>
  )
}
