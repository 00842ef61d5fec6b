import { expect, test } from 'vitest'
import { askedAgain } from './sameRequest'

test('the same request has the same key, another has its own', () => {
  const first = askedAgain(undefined, { name: 'a' })
  expect(askedAgain(first, { name: 'a' }).key).toBe(first.key)
  const other = askedAgain(first, { name: 'b' })
  expect(other.key).not.toBe(first.key)
  expect(askedAgain(other, { name: 'a' }).key).not.toBe(first.key)
})
