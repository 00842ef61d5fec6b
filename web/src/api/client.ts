import createClient, { type FetchResponse, type MaybeOptionalInit } from 'openapi-fetch'
import type { PathsWithMethod } from 'openapi-typescript-helpers'
import type { components, paths } from './schema'

export type Schemas = components['schemas']

/** An answer of the API that is not what was asked for (RFC 9457). */
export class Problem extends Error {
  readonly status: number
  /** What is wrong with which field, by its place in the request ("body.name"). */
  readonly fields: Record<string, string>
  /** In how many seconds it makes sense to ask again, when the server says so. */
  readonly retryAfter?: number

  constructor(
    status: number,
    answer: { detail?: string; title?: string; errors?: unknown } | undefined,
    retryAfter?: string | null,
  ) {
    super(answer?.detail ?? answer?.title ?? '')
    this.status = status
    if (retryAfter && Number.isFinite(Number(retryAfter))) this.retryAfter = Number(retryAfter)
    const errors = (answer?.errors ?? []) as { location?: string; message?: string }[]
    this.fields = Object.fromEntries(errors.map((e) => [e.location ?? '', e.message ?? '']))
  }
}

/** Status of a Problem that says that the server could not be reached at all. */
export const UNREACHABLE = 0

const client = createClient<paths>({ baseUrl: location.origin })

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
type Operation<M extends Method, P extends PathsWithMethod<paths, M>> = paths[P] extends { [method in M]: infer O }
  ? O extends Record<string | number, unknown>
    ? O
    : never
  : never
export type Answer<M extends Method, P extends PathsWithMethod<paths, M>> = NonNullable<
  FetchResponse<Operation<M, P>, object, 'application/json'>['data']
>

/** Listeners hear that the session is over. */
export const signedOut = new EventTarget()

/**
 * Calls the API: ask('post', '/categories', { body: { name } }). What is not a
 * success is thrown as a Problem.
 */
export async function ask<M extends Method, P extends PathsWithMethod<paths, M>>(
  method: M,
  path: P,
  ...[init]: MaybeOptionalInit<paths[P], M> extends infer I ? (undefined extends I ? [init?: I] : [init: I]) : never
): Promise<Answer<M, P>> {
  const request = client.request as (
    ...args: unknown[]
  ) => Promise<{ data?: unknown; error?: object; response: Response }>
  let answer: Awaited<ReturnType<typeof request>>
  try {
    answer = await request(method, path, init)
  } catch (cause) {
    if (cause instanceof DOMException) throw cause // the caller gave up
    throw new Problem(UNREACHABLE, undefined)
  }
  if (answer.response.ok) return answer.data as Answer<M, P>
  if (answer.response.status === 401 && path !== '/auth/login') signedOut.dispatchEvent(new Event('signedout'))
  throw new Problem(answer.response.status, answer.error, answer.response.headers.get('Retry-After'))
}

/** A new key that makes a request safe to repeat. */
export const idempotencyKey = () => ({ 'Idempotency-Key': crypto.randomUUID() })
