import { expect, test } from 'vitest'
import { readablePhone, samePhone } from './phone'

test.each([
  ['+33639980001', '+33 6 39 98 00 01'],
  ['+12025550123', '+1 202 555 0123'],
  ['+4915112345678', '+49 151 123 456 78'],
  ['+447700900123', '+44 7700 900123'],
  ['+2250102030405', '+225 01 02 03 04 05'],
  ['06 39 98 00 01', '06 39 98 00 01'],
])('%s is written %s', (phone, readable) => {
  expect(readablePhone(phone).replaceAll('\u00a0', ' ')).toBe(readable)
})

test('a number is recognised however it was typed', () => {
  for (const typed of ['+33639980001', '+33 6 39 98 00 01', '0033639980001', '06 39 98 00 01', '639980001'])
    expect(samePhone('+33639980001', typed), typed).toBe(true)
  for (const typed of ['+33639980002', '0639980002', '01', '', '+49639980001'])
    expect(samePhone('+33639980001', typed), typed).toBe(false)
})
