import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { Link } from 'wouter-preact'
import { Problem, UNREACHABLE } from '../api/client'
import { useAnswers } from '../words/answers'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { type CampaignStatus, terms } from '../words/terms'
import { Icon, type IconName } from './icons'

const texts = bilingual(
  {
    unreachable: 'The server cannot be reached. Your connection may be down.',
    failed: 'The server could not answer.',
    tooOften: (wait: string) => `Too many attempts. Try again in ${wait}.`,
    again: 'Try again',
    more: 'Show more',
    loading: 'Loading…',
  },
  {
    unreachable: 'Le serveur est injoignable. Votre connexion est peut-être coupée.',
    failed: "Le serveur n'a pas pu répondre.",
    tooOften: (wait: string) => `Trop de tentatives. Réessayez dans ${wait}.`,
    again: 'Réessayer',
    more: 'Afficher la suite',
    loading: 'Chargement…',
  },
)

/** The head of a screen; it names the browser's tab too. */
export function Title({
  children,
  aside,
  back,
}: {
  children: string
  aside?: ComponentChildren
  back?: { to: string; name: string }
}) {
  useEffect(() => {
    document.title = `${children} · Relance`
  }, [children])
  return (
    <div class="head">
      <div>
        {back && (
          <Link class="back" href={back.to}>
            <Icon name="back" />
            {back.name}
          </Link>
        )}
        <h1>{children}</h1>
      </div>
      {aside && <div class="actions">{aside}</div>}
    </div>
  )
}

/** Room for what is still being fetched, as large as what will come. */
export function Skeleton({ lines = 3, height = 20 }: { lines?: number; height?: number }) {
  const t = useWords(texts)
  return (
    <div class="skeletons">
      <span class="unseen" role="status">
        {t.loading}
      </span>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} class="skeleton" style={{ height }} />
      ))}
    </div>
  )
}

/** Why something cannot be shown, in words that a person can act upon. */
export function useReason() {
  const t = useWords(texts)
  const answer = useAnswers()
  const format = useFormat()
  return (error: unknown) => {
    if (!(error instanceof Problem)) return t.failed
    if (error.status === UNREACHABLE) return t.unreachable
    if (error.status === 429 && error.retryAfter) return t.tooOften(format.duration(error.retryAfter))
    const fields = Object.values(error.fields)
    const said = [error.message, ...fields].filter((text) => text && !(text === 'validation failed' && fields.length))
    return [...new Set(said)].map(answer).join('; ') || t.failed
  }
}

export function Failure({ error, again }: { error: unknown; again?: () => unknown }) {
  const t = useWords(texts)
  const reason = useReason()
  return (
    <div class="notice bad" role="alert">
      <Icon name="warning" />
      <p>{reason(error)}</p>
      {again && (
        <button type="button" class="button" onClick={() => again()}>
          {t.again}
        </button>
      )}
    </div>
  )
}

/** What a list says when there is nothing in it: what it is for, and what to do first. */
export function Empty({
  title,
  children,
  action,
}: {
  title: string
  children?: ComponentChildren
  action?: ComponentChildren
}) {
  return (
    <div class="empty">
      <p class="strong">{title}</p>
      {children && <p class="muted">{children}</p>}
      {action && <p>{action}</p>}
    </div>
  )
}

/** A button that leads somewhere. */
export function GoTo({
  to,
  icon,
  main,
  children,
}: {
  to: string
  icon?: IconName
  main?: boolean
  children: ComponentChildren
}) {
  return (
    <Link href={to} class={main ? 'button main' : 'button'}>
      {icon && <Icon name={icon} />}
      {children}
    </Link>
  )
}

/** The button under a list of which there is more. */
export function More({
  list,
}: {
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }
}) {
  const t = useWords(texts)
  if (!list.hasNextPage) return null
  return (
    <p class="more">
      <button type="button" class="button" disabled={list.isFetchingNextPage} onClick={() => list.fetchNextPage()}>
        {list.isFetchingNextPage ? t.loading : t.more}
      </button>
    </p>
  )
}

/** A moment, short; the whole of it when pointed at. Nothing for null. */
export function Moment({ at }: { at: string | null | undefined }) {
  const format = useFormat()
  if (!at) return null
  return (
    <time dateTime={at} title={format.full(at)}>
      {format.moment(at)}
    </time>
  )
}

export function StatusBadge({ status }: { status: CampaignStatus }) {
  const t = useWords(terms)
  return <span class={`badge ${status}`}>{t.campaignStatus[status]}</span>
}
