import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** What axe finds wrong with the page as it is; the test fails with all of it. */
export async function expectAccessible(page: Page) {
  // Through the debugger: the page's own policy lets no foreign script in.
  await page.evaluate(axe.source)
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') }
    const { violations } = await axe.run()
    return violations.map(
      (v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join('\n  ')}`,
    )
  })
  expect(found, `on ${page.url()}`).toEqual([])
}
