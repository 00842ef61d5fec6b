import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatted, type Piece } from './formatting'

const b = (...inner: Piece[]): Piece => ({ style: 'bold', inner })
const i = (...inner: Piece[]): Piece => ({ style: 'italic', inner })

test.each<[string, Piece[]]>([
  ['plain', ['plain']],
  ['', []],
  ['*now*', [b('now')]],
  ['only *today*!', ['only ', b('today'), '!']],
  ['*bold _both_ bold*', [b('bold ', i('both'), ' bold')]],
  ['~5 €~ *4 €*', [{ style: 'strike', inner: ['5 €'] }, ' ', b('4 €')]],
  ['```a *b* c```', [{ style: 'mono', inner: ['a *b* c'] }]],
  ['2 * 3 * 4', ['2 * 3 * 4']],
  ['2*3*4', ['2*3*4']],
  ['snake_case_name', ['snake_case_name']],
  ['*open', ['*open']],
  ['*over\nlines*', ['*over\nlines*']],
  ['* no *', ['* no *']],
  ['**', ['**']],
  ['``````', ['``````']],
])('%j', (text, pieces) => {
  expect(formatted(text)).toEqual(pieces)
})

const words = (pieces: Piece[]): string =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : words(piece.inner))).join('')

test('nothing but marks is ever lost', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ab *_~`\n]{0,30}$/), (text) => {
      expect(words(formatted(text)).replace(/[*_~`]/g, '')).toBe(text.replace(/[*_~`]/g, ''))
    }),
  )
})
