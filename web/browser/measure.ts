import { cpus } from 'node:os'
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
        await quiet()
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

// Property 3: from the click to the changed list, while the server takes a second.
test('how soon a created and a deleted contact and category are seen', { timeout: 300_000 }, async () => {
  const relance = await startRelance()
  try {
    await relance.contacts(200, 'Everybody')
    const page = await relance.page()
    await page.route(/\/(contacts|categories)(\/[^/]*)?$/, async (route) => {
      if (!['POST', 'DELETE'].includes(route.request().method())) return route.fallback()
      await new Promise((wake) => setTimeout(wake, 1_000))
      await route.continue()
    })
    const rows: Record<string, string>[] = []
    for (const [what, path, create, confirm] of [
      ['contact', 'contacts', 'Create contact', 'Delete contact'],
      ['category', 'categories', 'Create category', 'Delete category'],
    ] as const) {
      await page.goto(path)
      const created: number[] = []
      const deleted: number[] = []
      for (let run = 0; run < RUNS; run++) {
        const name = `Zz ${what} ${run}`
        await page.getByRole('button', { name: `New ${what}` }).click()
        if (what === 'contact') await page.getByLabel('Phone number').fill(`+3363997010${run}`)
        await page.getByRole('textbox', { name: 'Name', exact: true }).first().fill(name)
        created.push(await reaction(page, name, 'appears', () => page.getByRole('button', { name: create }).click()))
        await page.locator('tr[aria-busy=true]').waitFor({ state: 'detached' })
        await page.getByRole('button', { name: `Delete ${name}` }).click()
        deleted.push(
          await reaction(page, name, 'disappears', () => page.getByRole('button', { name: confirm }).click()),
        )
      }
      rows.push({ what, 'created, ms, median (min–max) ≤ 50': spread(created), 'deleted, ms ≤ 50': spread(deleted) })
    }
    console.table(rows)
  } finally {
    await relance.stop()
  }
})

/** Waits until the machine has little else to do: Relance, Temporal and PostgreSQL share it with the browser. */
async function quiet() {
  const spent = () => {
    const times = cpus().map((cpu) => cpu.times)
    const idle = times.reduce((sum, t) => sum + t.idle, 0)
    return { idle, all: times.reduce((sum, t) => sum + t.idle + t.user + t.nice + t.sys + t.irq, 0) }
  }
  for (let second = 0; second < 120; second++) {
    const before = spent()
    await new Promise((wake) => setTimeout(wake, 1_000))
    const after = spent()
    if ((after.idle - before.idle) / (after.all - before.all) > 0.85) return
  }
  throw new Error('the machine does not get quiet: what is measured now would say nothing')
}

/** How many milliseconds after the click, by the page's own clock, a row appears or disappears. */
async function reaction(
  page: Page,
  name: string,
  how: 'appears' | 'disappears',
  click: () => Promise<void>,
): Promise<number> {
  await page.evaluate(
    ([name, how]) => {
      const listed = () => [...document.querySelectorAll('tbody tr')].some((tr) => tr.textContent?.includes(name))
      Object.assign(window, {
        took: new Promise((done) => {
          let clicked = Number.NaN
          const note = (event: MouseEvent) => {
            clicked = event.timeStamp
          }
          addEventListener('click', note, { capture: true, once: true })
          const observer = new MutationObserver(() => {
            if (Number.isNaN(clicked) || listed() !== (how === 'appears')) return
            observer.disconnect()
            done(performance.now() - clicked)
          })
          observer.observe(document.body, { subtree: true, childList: true, characterData: true })
        }),
      })
    },
    [name, how] as const,
  )
  await click()
  return page.evaluate(() => (window as unknown as { took: Promise<number> }).took)
}

function spread(figures: number[], digits = 0): string {
  const sorted = figures.toSorted((a, b) => a - b)
  const show = (n: number | undefined) => n?.toFixed(digits) ?? ''
  return `${show(sorted[Math.floor(sorted.length / 2)])} (${show(sorted[0])}–${show(sorted.at(-1))})`
}

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
  const cell = (name: keyof Figures, digits = 0) =>
    `${spread(
      runs.map((figures) => figures[name]),
      digits,
    )} ≤ ${targets[name]}`
  return {
    'screen, median (min–max) ≤ target': screen,
    'first paint, ms': cell('firstPaint'),
    'largest paint, ms': cell('largestPaint'),
    'interactive, ms': cell('interactive'),
    'layout shift': cell('shift', 4),
    'scripts, bytes gzipped': cell('script'),
  }
}
