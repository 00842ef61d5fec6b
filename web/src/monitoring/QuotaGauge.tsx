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
    window: (duration: string) => `counted over the last ${duration}`,
    level: { ok: 'Plenty of room', attention: 'Getting full', danger: 'Nearly full', blocked: 'Used up' },
    now: 'a message may leave now',
    next: (at: string) => `next place free at ${at}`,
    said: (used: string, limit: string, share: string) => `${used} of ${limit} messages used, ${share}`,
  },
  {
    of: (limit: string) => `utilisés sur ${limit}`,
    used: 'utilisés',
    left: 'restants',
    reserved: 'gardés pour répondre',
    window: (duration: string) => `sur les dernières ${duration}`,
    level: { ok: 'De la marge', attention: 'Se remplit', danger: 'Presque plein', blocked: 'Épuisé' },
    now: 'un message peut partir maintenant',
    next: (at: string) => `prochaine place libre à ${at}`,
    said: (used: string, limit: string, share: string) => `${used} messages utilisés sur ${limit}, soit ${share}`,
  },
)

// An arc of 240 degrees, open at the bottom.
const SWEEP = 240
const RADIUS = 80
const LENGTH = (SWEEP / 360) * 2 * Math.PI * RADIUS

const at = (share: number, radius: number) => {
  const angle = ((150 + SWEEP * share) * Math.PI) / 180
  return `${(100 + radius * Math.cos(angle)).toFixed(2)} ${(100 + radius * Math.sin(angle)).toFixed(2)}`
}
const arc = `M ${at(0, RADIUS)} A ${RADIUS} ${RADIUS} 0 1 1 ${at(1, RADIUS)}`

/** How much of the device's quota is used, at the seed's thresholds of 75 % and 90 %. */
export function QuotaGauge({ quota }: { quota: Schemas['Quota'] }) {
  const t = useWords(texts)
  const format = useFormat()
  const share = Math.min(1, quota.used / Math.max(1, quota.limit))
  const kept = Math.min(1 - share, quota.reserved / Math.max(1, quota.limit))
  const number = format.number
  return (
    <div class="gauge">
      <svg
        viewBox="0 0 200 164"
        role="img"
        aria-label={t.said(number(quota.used), number(quota.limit), format.percent(share))}
      >
        <path class="track" d={arc} />
        <path class="kept" d={arc} stroke-dasharray={`${LENGTH * (share + kept)} ${LENGTH * 2}`} />
        <path class={`used ${quota.level}`} d={arc} stroke-dasharray={`${LENGTH * share} ${LENGTH * 2}`} />
        {[0.75, 0.9].map((mark) => (
          <path key={mark} class="mark" d={`M ${at(mark, 68)} L ${at(mark, 92)}`} />
        ))}
        <text x="100" y="98" class="big">
          {number(quota.used)}
        </text>
        <text x="100" y="122" class="of">
          {t.of(number(quota.limit))}
        </text>
      </svg>
      <p class="row middle">
        <span class={`badge ${{ ok: 'good', attention: 'warn', danger: 'bad', blocked: 'bad' }[quota.level]}`}>
          {t.level[quota.level]}
        </span>
      </p>
      <dl class="row middle">
        <div>
          <dd class="strong number">
            <Link href="/messages">{number(quota.left)}</Link>
          </dd>
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
        {t.window(format.duration(quota.window_seconds))}
      </p>
    </div>
  )
}
