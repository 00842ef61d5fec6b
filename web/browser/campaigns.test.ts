import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { expectAccessible } from './accessible'
import { until, useRelance } from './relance'

// Long enough for what is paused and cancelled, short enough for what is to end:
// replies of simulated contacts come within 14 s, the last of them too late.
const relance = useRelance({
  REPLY_WINDOW: '8s',
  CAMPAIGN_DEADLINE: '20s',
  SEND_LIMIT_WINDOW: '8s',
  SEND_SETTLE: '2s',
})

const texts = { message_1: 'Hello {{name|there}}, shall we keep you a place?', message_2: 'Thank you {{name}}!' }

async function start(name: string, contacts: number, more = {}): Promise<string> {
  const { categoryID } = await relance.contacts(contacts, name)
  const body = { name, ...texts, category_ids: [categoryID], ...more }
  return (await relance.api('POST', '/campaigns/start', body)).campaign.id
}

/** The first test leaves one. */
async function anEndedCampaign(): Promise<string> {
  const ended = (items: { id: string; status: string }[]) => items.find(({ status }) => status === 'completed')?.id
  const { items } = await relance.api('GET', '/campaigns')
  const id: string = ended(items) ?? (await start('Summer', 25))
  await until(async () => (await get(id)).status === 'completed', 90)
  return id
}

const get = (id: string, more = '') => relance.api('GET', `/campaigns/${id}${more}`)

const step = (page: Page, name: string) =>
  page.locator('.funnel .step').filter({ has: page.getByText(name, { exact: true }) })

const numberIn = async (place: Locator) => Number(await place.textContent())

async function expectToFit(page: Page) {
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(tooWide, `pixels beyond the edge of ${page.url()}`).toBeLessThanOrEqual(0)
}

test('a campaign is watched to its end without a reload, and its numbers are those of the API', async () => {
  const page = await relance.page()
  await page.goto('campaigns')
  await page.getByText('No campaign yet').waitFor()
  await expectAccessible(page)

  const id = await start('Spring', 60)
  await page.getByRole('row', { name: /Spring.*Running/ }).waitFor()
  await page.getByRole('link', { name: 'Spring', exact: true }).click()
  await page.getByRole('heading', { name: 'Spring', level: 1 }).waitFor()
  await page.locator('.live-now').waitFor()
  await page.evaluate(() => Object.assign(window, { neverReloaded: true }))

  await page.getByText('The campaign is complete.').waitFor({ timeout: 90_000 })
  expect((await get(id)).status).toBe('completed')
  // Replies may come after the end too: the screen follows.
  await until(async () => {
    const stats = await get(id, '/stats')
    const shown = await Promise.all(
      ['Recipients', 'Sent', 'Delivered', 'Read', 'Replied in time', 'Answered'].map((name) =>
        numberIn(step(page, name).locator('.value')),
      ),
    )
    const { message_1, message_2 } = stats.by_type
    const counted = [60, message_1.sent, message_1.delivered, message_1.read, stats.replied, message_2.sent]
    return shown.join() === counted.join() && message_1.sent === 60
  })
  expect(await page.evaluate(() => 'neverReloaded' in window)).toBe(true)
  await expectAccessible(page)

  await page.getByRole('link', { name: 'Campaigns', exact: true }).first().click()
  await page.getByRole('row', { name: /Spring.*Completed/ }).waitFor()
  await expectAccessible(page)
})

test('a number of a campaign leads to the recipients behind it, and so does a search', async () => {
  const id = await anEndedCampaign()
  const page = await relance.page()
  await page.goto(`campaigns/${id}`)
  const rows = page.locator('.recipients tbody tr')

  const silent = page.locator('.legend a', { hasText: 'No reply' })
  await silent.click()
  await page.waitForURL(/\?state=no_interaction$/)
  // Some may still reply, too late: the number and the list both follow.
  await until(async () => {
    const those = await rows.filter({ hasText: 'No reply' }).count()
    return those === (await rows.count()) && those === (await numberIn(silent.locator('.number'))) && those > 0
  })

  const replied = step(page, 'Replied in time')
  await replied.click()
  await page.waitForURL(/\?reached=replied$/)
  await until(async () => (await rows.count()) === (await numberIn(replied.locator('.value'))))

  await page.getByLabel('Which recipients').selectOption({ label: 'All' })
  const { items } = await get(id, '/recipients?limit=1')
  await page.getByLabel('Name or number').fill(items[0].phone.slice(-5))
  await page.waitForURL(/\?q=\d{5}$/)
  await until(async () => (await rows.count()) === 1)
  expect(await rows.getByRole('link').getAttribute('href')).toBe(`/app/contacts/${items[0].contact_id}`)

  await page.getByLabel('Name or number').fill('nobody of that name')
  await page.getByText('No recipient matches.').waitFor()
})

test('a running campaign is paused, resumed and cancelled', async () => {
  const id = await start('Autumn', 400)
  const page = await relance.page()
  await page.goto(`campaigns/${id}`)
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('Paused by an admin.').waitFor()
  expect((await get(id)).status).toBe('paused')
  await expectAccessible(page)

  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByRole('button', { name: 'Pause' }).waitFor()
  expect((await get(id)).status).toBe('running')

  await page.getByRole('button', { name: 'Cancel' }).click()
  const question = page.getByRole('dialog')
  await question.getByText('A cancelled campaign cannot be resumed.').waitFor()
  await expectAccessible(page)
  await question.getByRole('button', { name: 'Cancel the campaign' }).click()
  await page.getByText('The campaign was cancelled.').waitFor()
  expect((await get(id)).status).toBe('cancelled')
  await expect
    .poll(() =>
      page
        .getByRole('button')
        .filter({ hasText: /Pause|Resume|Cancel/ })
        .count(),
    )
    .toBe(0)
})

test('a draft is started, another is deleted', async () => {
  const { categoryID } = await relance.contacts(3, 'Few')
  const draft = (name: string) =>
    relance.api('POST', '/campaigns', { name, ...texts, category_ids: [categoryID] }).then((made) => made.id as string)
  const [wanted, unwanted] = [await draft('Wanted'), await draft('Unwanted')]
  const page = await relance.page()
  await page.goto(`campaigns/${unwanted}`)
  await page.getByText('would be sent Message 1').waitFor()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('link', { name: 'Wanted', exact: true }).click()
  expect(await page.getByRole('link', { name: 'Unwanted' }).count()).toBe(0)

  await page.getByRole('button', { name: 'Start now' }).click()
  await page.getByText('Message 1 begins to leave to 3 contacts at once.').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Start now' }).click()
  await page.getByText('From recipient to answer').waitFor()
  expect(['running', 'completed']).toContain((await get(wanted)).status)
})

test('what was planned for later can be started now', async () => {
  const id = await start('Winter', 2, { scheduled_at: new Date(Date.now() + 3_600_000).toISOString() })
  const page = await relance.page()
  await page.goto(`campaigns/${id}`)
  await page.getByText('Scheduled').waitFor()
  await page.getByRole('button', { name: 'Start now' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Start now' }).click()
  await page.getByText('From recipient to answer').waitFor()
})

test('a screen that is not live says so, and is live again by itself', async () => {
  const id = await start('Fragile', 5)
  const page = await relance.page()
  await page.goto(`campaigns/${id}`)
  await page.locator('.live-now').waitFor()
  // The stream ends, as it does when one looks at another tab, and cannot be had again.
  await page.route('**/events', (route) => route.abort())
  await turnAway(page, true)
  await turnAway(page, false)
  await page.getByText(/Not live, since \d\d:\d\d; trying again/).waitFor({ timeout: 30_000 })
  await page.unroute('**/events')
  await page.locator('.live-now').waitFor({ timeout: 60_000 })
})

async function turnAway(page: Page, away: boolean) {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, away)
}

test('on a telephone and in French nothing is cut off', async () => {
  const id = await start('Une campagne au nom plutôt long', 4)
  const page = await relance.page({ locale: 'fr-FR', viewport: { width: 360, height: 740 } })
  await page.goto('campaigns')
  await page.getByRole('heading', { name: 'Campagnes' }).waitFor()
  await page.getByText('Une campagne au nom plutôt long').waitFor()
  await expectToFit(page)
  await expectAccessible(page)
  await page.goto(`campaigns/${id}`)
  await page.getByText('Où en est chacun').waitFor()
  await page.locator('.recipients tbody tr').first().waitFor()
  await expectToFit(page)
  await expectAccessible(page)
})
