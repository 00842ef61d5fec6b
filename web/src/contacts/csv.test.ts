import { expect, test } from 'vitest'
import { guess, roles } from './columns'
import { readBeginning } from './csv'

test('a spreadsheet saved in Windows-1252 with semicolons is read as it is meant', async () => {
  const text = 'Numéro de téléphone;Nom;Ville\r\n06 39 98 00 01;Zoé "Z" Lefèvre;Orléans\r\n\r\n;"a;b ""c""\nd";'
  const file = new Blob([Uint8Array.from(text, (letter) => letter.charCodeAt(0))])
  expect(await readBeginning(file)).toEqual({
    columns: ['Numéro de téléphone', 'Nom', 'Ville'],
    rows: [
      ['06 39 98 00 01', 'Zoé "Z" Lefèvre', 'Orléans'],
      ['', 'a;b "c"\nd', ''],
    ],
    delimiter: ';',
    encoding: 'windows-1252',
  })
})

test('UTF-8 is recognised even where its last letter is cut in two, and its mark is left out', async () => {
  const file = new Blob([`\ufeffphone\tname\n+33639980001\t${'é'.repeat(70_000)}`])
  const read = await readBeginning(file)
  expect(read?.encoding).toBe('utf-8')
  expect(read?.columns).toEqual(['phone', 'name'])
})

test('only the first five rows are shown', async () => {
  const read = await readBeginning(new Blob([`phone,name\n${'1,a\n'.repeat(9)}`]))
  expect(read?.rows).toHaveLength(5)
})

test('what is no text is no CSV file', async () => {
  expect(await readBeginning(new Blob(['']))).toBeUndefined()
  expect(await readBeginning(new Blob([Uint8Array.of(80, 75, 3, 4, 0, 0, 10, 0, 9)]))).toBeUndefined()
})

test('columns are known by their usual names, and the others become variables', () => {
  const columns = ['Prénom', 'Nom', 'Téléphone', 'Code postal', '2e ville', '']
  const mapping = guess(columns)
  expect(mapping).toEqual({ phone: 2, name: undefined })
  expect(roles(columns, mapping)).toEqual([
    { is: 'part of name' },
    { is: 'part of name' },
    { is: 'phone' },
    { is: 'variable', name: 'Code_postal' },
    { is: 'variable', name: '_2e_ville' },
    { is: 'nothing' },
  ])
  expect(roles(columns, { phone: 2, name: 1 })[0]).toEqual({ is: 'variable', name: 'Prénom' })
  expect(guess(['Handy', 'Kunde'])).toEqual({ phone: undefined, name: undefined })
})
