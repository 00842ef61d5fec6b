/** What can be told of a CSV file from its beginning, by the rules of the import. */
export type Beginning = {
  columns: string[]
  /** the first rows below the names of the columns */
  rows: string[][]
  delimiter: string
  encoding: 'utf-8' | 'windows-1252'
}

/** How much of a file is read to show what is in it. */
const READ = 64 * 1024
const SHOWN = 5

/** Reads a file's first rows; undefined for what is no CSV file with at least one row of text. */
export async function readBeginning(file: Blob): Promise<Beginning | undefined> {
  const bytes = new Uint8Array(await file.slice(0, READ).arrayBuffer())
  const { text, encoding } = decode(bytes, file.size > READ)
  const delimiter = delimiterOf(text)
  const [columns, ...rows] = parse(text, delimiter, SHOWN + 1)
  if (!columns || text.includes('\0') || columns.every((cell) => cell.trim() === '')) return undefined
  return { columns: columns.map((cell) => cell.trim()), rows, delimiter, encoding }
}

function decode(bytes: Uint8Array, cut: boolean): Pick<Beginning, 'encoding'> & { text: string } {
  try {
    // The last letter may have been cut in two.
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: cut }), encoding: 'utf-8' }
  } catch {
    return { text: new TextDecoder('windows-1252').decode(bytes), encoding: 'windows-1252' }
  }
}

/** Whichever of comma, semicolon and tab the first line has most of. */
function delimiterOf(text: string): string {
  const line = text.split('\n', 1)[0] ?? ''
  const count = (delimiter: string) => line.split(delimiter).length
  return [',', ';', '\t'].reduce((best, other) => (count(other) > count(best) ? other : best))
}

/** The first rows that are not blank. */
function parse(text: string, delimiter: string, most: number): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  const endCell = () => {
    row.push(cell)
    cell = ''
  }
  const endRow = () => {
    endCell()
    if (row.some((text) => text.trim())) rows.push(row)
    row = []
  }
  for (let i = 0; i < text.length && rows.length < most; i += 1) {
    const letter = text.charAt(i)
    if (quoted) {
      if (letter !== '"') cell += letter
      else if (text.charAt(i + 1) === '"') {
        cell += '"'
        i += 1
      } else quoted = false
    } else if (letter === '"' && cell === '') quoted = true
    else if (letter === delimiter) endCell()
    else if (letter === '\n') endRow()
    else if (letter !== '\r') cell += letter
  }
  if (rows.length < most) endRow()
  return rows
}
