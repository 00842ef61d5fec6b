import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { render, textLength, textProblem, variablesOf } from './rendering'

type Case = {
  about: string
  template: string
  variables: Record<string, string>
  result: string
  problem: string
  times?: number
}

const cases: Case[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../campaign/testdata/rendering.json'), 'utf8'),
)

test.each(cases)('the preview shows what the server sends: $about', (c) => {
  const times = c.times ?? 1
  const template = c.template.repeat(times)
  expect(render(template, c.variables)).toBe(c.result.repeat(times))
  expect(textProblem(template) ?? '').toBe(c.problem)
})

test('a text that is valid never shows braces to a contact', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z{}| ]{0,24}$/), (text) => {
      fc.pre(textProblem(text) === undefined)
      const shown = render(text, {})
      expect(shown.includes('{{') && shown.includes('}}')).toBe(false)
    }),
  )
})

test('lengths are counted in characters', () => {
  expect(textLength('🙂é')).toBe(2)
})

test("a contact's name wins over an attribute of that name", () => {
  const contact = { name: 'Ana', attributes: JSON.parse('{"name": "x", "__proto__": "y"}') }
  expect(render('{{name}} {{__proto__}}', variablesOf(contact))).toBe('Ana y')
})
