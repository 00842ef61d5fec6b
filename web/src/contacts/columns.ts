/** What an import makes of a column. */
export type Role =
  | { is: 'phone' }
  | { is: 'name' }
  | { is: 'part of name' }
  | { is: 'variable'; name: string }
  | { is: 'nothing' }

/** Which columns hold what; name is undefined where the headers decide it. */
export type Mapping = { phone: number | undefined; name: number | undefined }

type Kind = 'phone' | 'name' | 'first name' | 'last name' | 'nothing' | 'other'

const known: Record<string, Kind> = {
  '': 'nothing',
  ...Object.fromEntries(
    'phone phonenumber telephone tel mobile mobilephone cell cellphone portable numero numerodetelephone whatsapp whatsappnumber msisdn gsm'
      .split(' ')
      .map((word) => [word, 'phone' as const]),
  ),
  ...Object.fromEntries('name nom fullname nomcomplet displayname'.split(' ').map((word) => [word, 'name' as const])),
  ...Object.fromEntries('firstname prenom givenname'.split(' ').map((word) => [word, 'first name' as const])),
  ...Object.fromEntries(
    'lastname nomdefamille surname familyname'.split(' ').map((word) => [word, 'last name' as const]),
  ),
}

/** Without what people write differently: case, accents, spaces. */
const fold = (header: string) =>
  header
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[\s_.-]/g, '')

const kindOf = (header: string): Kind => (header.startsWith('relance:') ? 'nothing' : (known[fold(header)] ?? 'other'))

/** What the columns most likely are, by their names. */
export function guess(columns: string[]): Mapping {
  const kinds = columns.map(kindOf)
  const at = (kind: Kind) => (kinds.includes(kind) ? kinds.indexOf(kind) : undefined)
  return { phone: at('phone'), name: hasParts(columns) ? undefined : at('name') }
}

/** Whether the names of the columns tell first and last names apart. */
export const hasParts = (columns: string[]) =>
  columns.map(kindOf).some((kind) => kind === 'first name' || kind === 'last name')

/** What the import will make of each column; see api/contact_columns.go. */
export function roles(columns: string[], { phone, name }: Mapping): Role[] {
  return columns.map((header, i): Role => {
    const kind = kindOf(header)
    if (i === phone) return { is: 'phone' }
    if (i === name) return { is: 'name' }
    if (kind === 'nothing') return { is: 'nothing' }
    if (name === undefined && (kind === 'first name' || kind === 'last name')) return { is: 'part of name' }
    if (name === undefined && kind === 'name') return { is: hasParts(columns) ? 'part of name' : 'name' }
    const variable = variableOf(header)
    return variable === 'name' ? { is: 'nothing' } : { is: 'variable', name: variable }
  })
}

/** The name under which messages can show a column. */
function variableOf(header: string): string {
  const name = header
    .replace(/^attribute:/, '')
    .trim()
    .replace(/[^\p{L}\p{N}_.-]/gu, '_')
  return /^[\p{L}_]/u.test(name) ? name : `_${name}`
}
