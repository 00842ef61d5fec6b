import { formatted, type Piece } from './formatting'

const tags = { bold: 'strong', italic: 'em', strike: 's', mono: 'code' } as const

/** A message text as WhatsApp shows it: its marks as styles, its lines as lines. */
export function FormattedText({ text }: { text: string }) {
  return <p class="said">{shown(formatted(text))}</p>
}

const shown = (pieces: Piece[]) =>
  pieces.map((piece, i) => {
    if (typeof piece === 'string') return piece
    const Tag = tags[piece.style]
    return <Tag key={i}>{shown(piece.inner)}</Tag>
  })
