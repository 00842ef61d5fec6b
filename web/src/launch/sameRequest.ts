/** What makes a request safe to repeat: its key, and what it asked for. */
export type Asked = { content: string; key: string }

/**
 * The key for a request: the one of before as long as the same is asked, so that
 * a double click, or a try after an answer that got lost, does nothing twice.
 */
export function askedAgain(before: Asked | undefined, request: unknown): Asked {
  const content = JSON.stringify(request)
  return before?.content === content ? before : { content, key: crypto.randomUUID() }
}

export const keyOf = (asked: Asked) => ({ 'Idempotency-Key': asked.key })
