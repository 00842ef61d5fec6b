/** A piece of a message as WhatsApp shows it. */
export type Piece = string | { style: 'bold' | 'italic' | 'strike' | 'mono'; inner: Piece[] }

const styles = { '*': 'bold', _: 'italic', '~': 'strike' } as const
const letter = /[\p{L}\p{N}]/u

/**
 * Reads WhatsApp's marks: *bold*, _italic_, ~strike~ and ```mono```. A mark opens
 * where a word begins and closes where one ends, within a line; any other is a
 * sign like all others.
 */
export function formatted(text: string): Piece[] {
  const pieces: Piece[] = []
  let plain = ''
  const add = (piece: Piece) => {
    if (plain) pieces.push(plain)
    plain = ''
    pieces.push(piece)
  }
  for (let i = 0; i < text.length; ) {
    const mono = text.startsWith('```', i) ? text.indexOf('```', i + 3) : -1
    if (mono > i + 3) {
      add({ style: 'mono', inner: [text.slice(i + 3, mono)] })
      i = mono + 3
      continue
    }
    const mark = text.charAt(i)
    const end = mark in styles ? closing(text, i) : -1
    if (end > 0) {
      add({ style: styles[mark as keyof typeof styles], inner: formatted(text.slice(i + 1, end)) })
      i = end + 1
      continue
    }
    plain += mark
    i += 1
  }
  if (plain) pieces.push(plain)
  return pieces
}

/** Where the mark at a place is closed; -1 if it opens nothing. */
function closing(text: string, at: number): number {
  const mark = text.charAt(at)
  if (letter.test(text.charAt(at - 1)) || !text.charAt(at + 1).trim() || text.charAt(at + 1) === mark) return -1
  for (let end = at + 2; end < text.length && text.charAt(end) !== '\n'; end++) {
    if (text.charAt(end) !== mark || !text.charAt(end - 1).trim()) continue
    if (!letter.test(text.charAt(end + 1))) return end
  }
  return -1
}
