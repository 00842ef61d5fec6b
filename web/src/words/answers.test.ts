import { expect, test } from 'vitest'
import { inFrench } from './answers'

test.each([
  ['Another contact has this phone number.', 'Un autre contact a déjà ce numéro.'],
  ['phone is too short for its country', 'le téléphone est trop court pour son pays'],
  ['phone must not be empty', 'le téléphone est vide'],
  ['name must have at most 200 characters, has 230', 'le nom a 230 caractères, 200 au plus sont possibles'],
  ['what nobody has translated', 'what nobody has translated'],
])('%s', (said, french) => {
  expect(inFrench(said)).toBe(french)
})
