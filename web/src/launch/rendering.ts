/** WhatsApp's limit on a message, in characters (campaign.MaxTextLength). */
export const LONGEST_TEXT = 4096

export type Variables = Record<string, string>

// Go's unicode.IsSpace, which is not quite what String.prototype.trim takes for space.
const SPACE = '[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const around = new RegExp(`^${SPACE}+|${SPACE}+$`, 'g')
const trim = (text: string) => text.replace(around, '')

const placeholder = /\{\{([^{}]*)\}\}/g
const attributeName = /^[\p{L}_][\p{L}\p{N}_.-]*$/u

/**
 * Fills a message text exactly as the server does (campaign.Render); the cases in
 * campaign/testdata/rendering.json hold for both.
 */
export function render(text: string, variables: Variables): string {
  return text.replace(placeholder, (_, inner: string) => {
    const { name, fallback } = split(inner)
    const value = Object.hasOwn(variables, name) ? trim(variables[name] ?? '') : ''
    return value || fallback
  })
}

export type TextProblem = 'empty' | 'long' | 'placeholder' | 'braces'

/** What the server will find wrong with a message text (campaign.ValidateText). */
export function textProblem(text: string): TextProblem | undefined {
  if (trim(text) === '') return 'empty'
  if (textLength(text) > LONGEST_TEXT) return 'long'
  const rest = text.replace(placeholder, (match, inner: string) => (attributeName.test(split(inner).name) ? '' : match))
  if (rest.search(placeholder) >= 0) return 'placeholder'
  if (rest.includes('{{') || rest.includes('}}')) return 'braces'
  return undefined
}

/** How long the server finds a text: in characters, not in units of UTF-16. */
export function textLength(text: string): number {
  let length = 0
  for (const _ of text) length += 1
  return length
}

/** What a contact's texts can show: its attributes and its name, as the server freezes them. */
export function variablesOf(contact: { name: string; attributes: Variables }): Variables {
  return { ...contact.attributes, name: contact.name }
}

function split(inner: string): { name: string; fallback: string } {
  const bar = inner.indexOf('|')
  if (bar < 0) return { name: trim(inner), fallback: '' }
  return { name: trim(inner.slice(0, bar)), fallback: trim(inner.slice(bar + 1)) }
}
