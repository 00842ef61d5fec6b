import type { Page } from 'playwright-core'
import { test } from 'vitest'
import { type Relance, startRelance, until } from './relance'

const RUNS = 5
const targets = { firstPaint: 100, largestPaint: 200, interactive: 200, shift: 0, script: 60_000 }

type Figures = Record<keyof typeof targets, number>

// Measured by the browser's own clock, from the request of the page on. Each load
// is the first one of a new browser context: nothing is cached.
test('first loads of the overview and of a campaign with 10,000 recipients', { timeout: 600_000 }, async () => {
  const relance = await startRelance({
    SEND_LIMIT: '1000',
    SEND_LIMIT_WINDOW: '24h',
    CAMPAIGN_DEADLINE: '48h',
    REPLY_WINDOW: '24h',
  })
  try {
    const campaign = await campaignOf10000(relance)
    const rows: Record<string, string>[] = []
    for (const [screen, path, content] of [
      ['overview', '', '[data-ready]'],
      ['campaign', `campaigns/${campaign}`, '[data-ready]'],
    ] as const) {
      const runs: Figures[] = []
      for (let run = 0; run < RUNS; run++) {
        const page = await relance.page({ reducedMotion: 'no-preference' })
        runs.push(await load(page, path, content))
        await page.context().close()
      }
      rows.push(row(screen, runs))
    }
    console.table(rows)
  } finally {
    await relance.stop()
  }
})

async function campaignOf10000(relance: Relance): Promise<string> {
  const { categoryID } = await relance.contacts(10_000, 'Everybody')
  const { campaign } = await relance.api('POST', '/campaigns/start', {
    name: 'Ten thousand',
    message_1: 'Hello {{name}}',
    message_2: 'Thank you',
    category_ids: [categoryID],
  })
  await until(async () => (await relance.api('GET', `/campaigns/${campaign.id}/stats`)).messages_delivered > 200, 120)
  await relance.api('POST', `/campaigns/${campaign.id}/pause`)
  return campaign.id
}

async function load(page: Page, path: string, content: string): Promise<Figures> {
  await page.addInitScript(() => {
    const seen = { largest: 0, shift: 0, busyUntil: 0 }
    Object.assign(window, { seen })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.largest = entry.startTime
    }).observe({ type: 'largest-contentful-paint', buffered: true })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[])
        if (!entry.hadRecentInput) seen.shift += entry.value
    }).observe({ type: 'layout-shift', buffered: true })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.busyUntil = entry.startTime + entry.duration
    }).observe({ type: 'longtask', buffered: true })
    // When the data are on the screen: from then on everything answers to a click.
    new MutationObserver((_, watcher) => {
      if (!document.querySelector('[data-ready]')) return
      watcher.disconnect()
      performance.mark('ready')
    }).observe(document, { subtree: true, childList: true, attributes: true })
  })
  await page.goto(path)
  await page.locator(content).first().waitFor({ state: 'attached' })
  await page.waitForLoadState('load')
  await page.waitForFunction(() => performance.now() > 1500)
  return page.evaluate(() => {
    const { seen } = window as unknown as { seen: { largest: number; shift: number; busyUntil: number } }
    const scripts = (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).filter((r) =>
      r.name.endsWith('.js'),
    )
    return {
      firstPaint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
      largestPaint: seen.largest,
      interactive: Math.max(performance.getEntriesByName('ready')[0]?.startTime ?? Number.NaN, seen.busyUntil),
      shift: seen.shift,
      script: scripts.reduce((sum, script) => sum + script.encodedBodySize, 0),
    }
  })
}

function row(screen: string, runs: Figures[]): Record<string, string> {
  const cell = (name: keyof Figures, digits = 0) => {
    const sorted = runs.map((figures) => figures[name]).sort((a, b) => a - b)
    const show = (n: number | undefined) => n?.toFixed(digits) ?? ''
    return `${show(sorted[Math.floor(RUNS / 2)])} (${show(sorted[0])}–${show(sorted.at(-1))}) ≤ ${targets[name]}`
  }
  return {
    'screen, median (min–max) ≤ target': screen,
    'first paint, ms': cell('firstPaint'),
    'largest paint, ms': cell('largestPaint'),
    'interactive, ms': cell('interactive'),
    'layout shift': cell('shift', 4),
    'scripts, bytes gzipped': cell('script'),
  }
}
