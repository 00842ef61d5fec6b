import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import '../style/gauge.css'

const texts = bilingual(
  {
    of: (limit: string) => `of ${limit} used`,
    used: 'used',
    left: 'left',
    reserved: 'kept for answers',
    window: (duration: string) => `Counted over the last ${duration}.`,
    level: { ok: 'Plenty of room', attention: 'Getting full', danger: 'Nearly full', blocked: 'Used up' },
    now: 'A message may leave now.',
    next: (at: string) => `The next place is free at ${at}.`,
    said: (used: string, limit: string, share: string) => `${used} of ${limit} messages used, ${share}`,
  },
  {
    of: (limit: string) => `utilisés sur ${limit}`,
    used: 'utilisés',
    left: 'restants',
    reserved: 'gardés pour répondre',
    window: (duration: string) => `Compté sur une durée de ${duration}.`,
    level: { ok: 'De la marge', attention: 'Se remplit', danger: 'Presque plein', blocked: 'Épuisé' },
    now: 'Un message peut partir maintenant.',
    next: (at: string) => `La prochaine place se libère à ${at}.`,
    said: (used: string, limit: string, share: string) => `${used} messages utilisés sur ${limit}, soit ${share}`,
  },
)

// An arc of 240 degrees, open at the bottom.
const SWEEP = 240
const RADIUS = 80
const LENGTH = (SWEEP / 360) * 2 * Math.PI * RADIUS

const spot = (share: number, radius: number) => {
  const angle = ((150 + SWEEP * share) * Math.PI) / 180
  return { x: 100 + radius * Math.cos(angle), y: 100 + radius * Math.sin(angle) }
}
const at = (share: number, radius: number) => {
  const { x, y } = spot(share, radius)
  return `${x.toFixed(2)} ${y.toFixed(2)}`
}
const arc = `M ${at(0, RADIUS)} A ${RADIUS} ${RADIUS} 0 1 1 ${at(1, RADIUS)}`

/** How much of the device's quota is used, at the seed's thresholds of 75 % and 90 %. */
export function QuotaGauge({ quota }: { quota: Schemas['Quota'] }) {
  const t = useWords(texts)
  const format = useFormat()
  const share = Math.min(1, quota.used / Math.max(1, quota.limit))
  const kept = Math.min(1 - share, quota.reserved / Math.max(1, quota.limit))
  const number = format.number
  // A day is said as the 24 hours that it is: it ends now, not at midnight.
  const hours = Math.round(quota.window_seconds / 3600)
  return (
    <div class="gauge">
      <Link href="/messages">
        <svg
          viewBox="-24 0 248 164"
          role="img"
          aria-label={t.said(number(quota.used), number(quota.limit), format.percent(share))}
        >
          <path class="track" d={arc} />
          {/* Round ends: nothing would be a dot. */}
          {kept > 0 && <path class="kept" d={arc} stroke-dasharray={`${LENGTH * (share + kept)} ${LENGTH * 2}`} />}
          {share > 0 && (
            <path class={`used ${quota.level}`} d={arc} stroke-dasharray={`${LENGTH * share} ${LENGTH * 2}`} />
          )}
          {[0.75, 0.9].map((mark) => (
            <g key={mark}>
              <path class="mark" d={`M ${at(mark, 68)} L ${at(mark, 92)}`} />
              <text class="threshold" x={spot(mark, 94).x} y={spot(mark, 94).y + 3}>
                {format.percent(mark)}
              </text>
            </g>
          ))}
          <text x="100" y="98" class="big">
            {number(quota.used)}
          </text>
          <text x="100" y="122" class="of">
            {t.of(number(quota.limit))}
          </text>
        </svg>
      </Link>
      <p class="row middle">
        <span class={`badge ${{ ok: 'good', attention: 'warn', danger: 'bad', blocked: 'bad' }[quota.level]}`}>
          {t.level[quota.level]}
        </span>
      </p>
      <dl class="row middle">
        <div>
          <dd class="strong number">{number(quota.left)}</dd>
          <dt class="muted">{t.left}</dt>
        </div>
        <div>
          <dd class="strong number">{number(quota.reserved)}</dd>
          <dt class="muted">{t.reserved}</dt>
        </div>
      </dl>
      <p class="muted middle-text">
        {quota.left > 0 ? t.now : t.next(format.moment(quota.next_slot_at))}
        <br />
        {t.window(hours >= 1 ? `${number(hours)} h` : format.duration(quota.window_seconds))}
      </p>
    </div>
  )
}
