import { bilingual, useWords } from '../words/language'
import { type Mapping, type Role, roles } from './columns'
import type { Beginning } from './csv'

const texts = bilingual(
  {
    title: 'The first rows of the file',
    column: (n: number) => `Column ${n}`,
    phone: 'Phone',
    name: 'Name',
    part: 'Part of the name',
    nothing: 'Left out',
  },
  {
    title: 'Les premières lignes du fichier',
    column: (n: number) => `Colonne ${n}`,
    phone: 'Téléphone',
    name: 'Nom',
    part: 'Partie du nom',
    nothing: 'Ignorée',
  },
)

/** What is in a file, and what will become of it. */
export function Preview({ beginning, mapping }: { beginning: Beginning; mapping: Mapping }) {
  const t = useWords(texts)
  const meant = roles(beginning.columns, mapping)
  const said = (role: Role) => {
    if (role.is === 'variable') return <code>{`{{${role.name}}}`}</code>
    const words = { phone: t.phone, name: t.name, 'part of name': t.part, nothing: t.nothing }
    return (
      <span class={role.is === 'phone' || role.is === 'name' || role.is === 'part of name' ? 'badge good' : 'badge'}>
        {words[role.is]}
      </span>
    )
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled sideways must be reachable by keyboard
    <section class="preview" tabIndex={0} aria-label={t.title}>
      <table>
        <caption class="unseen">{t.title}</caption>
        <thead>
          <tr>
            {beginning.columns.map((header, i) => (
              <th key={`${i} ${header}`} scope="col">
                {header || t.column(i + 1)}
                <span class="role">{said(meant[i] ?? { is: 'nothing' })}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {beginning.rows.map((row, line) => (
            <tr key={`${line} ${row.join()}`}>
              {beginning.columns.map((header, i) => (
                <td key={`${i} ${header}`}>{row[i] ?? ''}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
