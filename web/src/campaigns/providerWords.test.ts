import { expect, test } from 'vitest'
import { providerWords } from './providerWords'

test('what the provider said stands alone', () => {
  expect(providerWords('wassenger: send: halted: HTTP 402')).toBe('HTTP 402')
  expect(providerWords('wassenger: send: rejected: HTTP 400: not on WhatsApp')).toBe(
    'rejected: HTTP 400: not on WhatsApp',
  )
  expect(providerWords('undeliverable')).toBe('undeliverable')
})
