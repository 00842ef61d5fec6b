import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { expectAccessible } from './accessible'
import { until, useRelance } from './relance'

const relance = useRelance({
  CAMPAIGN_DEADLINE: '40s',
  REPLY_WINDOW: '15s',
  SEND_LIMIT_WINDOW: '15s',
  SEND_SETTLE: '2s',
})
let campaign = ''

/** Nothing is wider than the screen, or than the card that it is in. */
const fits = (page: Page) =>
  page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('.card')].every(
      (box) => box.scrollWidth <= box.clientWidth,
    ),
  )

test('who has just installed Relance is told what to do first', async () => {
  const page = await relance.page()
  await page.goto('')
  await page.getByRole('heading', { name: 'Three steps to your first campaign' }).waitFor()
  await page.getByText('No campaign is under way').waitFor()
  await expectAccessible(page)
})

test('the overview follows a campaign from its launch to its result without a reload', async () => {
  const page = await relance.page()
  await page.goto('')
  await page.getByText('Live', { exact: true }).waitFor()
  const { categoryID } = await relance.contacts(30, 'Customers')
  const started = await relance.api('POST', '/campaigns/start', {
    name: 'Spring sale',
    message_1: 'Hello {{name}}',
    message_2: 'Thank you',
    category_ids: [categoryID],
  })
  campaign = started.campaign.id
  const running = page.getByRole('region', { name: 'Under way' })
  await running.getByRole('link', { name: 'Spring sale' }).waitFor()
  await running.getByText('30 of 30 sent').waitFor({ timeout: 60_000 })
  const results = page.getByRole('region', { name: 'Last results' })
  await results.getByRole('link', { name: 'Spring sale' }).waitFor({ timeout: 90_000 })
  // What a reply does after the end is told later: the stored totals follow.
  await until(async () => {
    const { sent_count } = await relance.api('GET', `/campaigns/${campaign}`)
    return (await results.getByRole('row', { name: /Spring sale/ }).innerText())
      .split(/\s+/)
      .includes(String(sent_count))
  })
  await expectAccessible(page)
})

test('a number leads to the list behind it, whose filters survive a reload', async () => {
  const page = await relance.page()
  await page.goto('')
  const sent = page.getByRole('link', { name: /accepted by WhatsApp/ })
  const { messages_sent } = await relance.api('GET', '/messages/stats')
  await until(async () => (await sent.innerText()).startsWith(String(messages_sent)))
  await sent.click()
  await page.getByRole('heading', { name: 'Messages' }).waitFor()

  await page.getByLabel('Campaign').selectOption({ label: 'Spring sale' })
  await page.getByLabel('Message', { exact: true }).selectOption('message_2')
  const wanted = (await relance.api('GET', `/messages?campaign_id=${campaign}&type=message_2&limit=200`)).items.length
  await until(async () => (await page.locator('tbody tr').count()) === Math.min(wanted, 50))
  await page.reload()
  await until(async () => (await page.locator('tbody tr').count()) === Math.min(wanted, 50))
  expect(await page.getByLabel('Message', { exact: true }).inputValue()).toBe('message_2')
  await expectAccessible(page)
})

test('the quota is that of the API, and the gauge says how full it is', async () => {
  const page = await relance.page()
  await page.goto('monitoring')
  const { quota } = await relance.api('GET', '/monitoring')
  await page.getByText('Plenty of room').waitFor()
  expect(quota.limit).toBe(100_000)
  await page.getByRole('img', { name: /of 100,000 messages used/ }).waitFor()
  await expectAccessible(page)

  for (const [level, used, says] of [
    ['attention', 76_000, 'Getting full'],
    ['danger', 91_000, 'Nearly full'],
    ['blocked', 100_000, 'Used up'],
  ] as const) {
    await page.route('**/monitoring', async (route) => {
      if (route.request().resourceType() === 'document') return route.fallback()
      const answer = await (await route.fetch()).json()
      await route.fulfill({ json: { ...answer, quota: { ...answer.quota, level, used, left: 100_000 - used } } })
    })
    await page.reload()
    await page.getByText(says, { exact: true }).waitFor()
    await page.unroute('**/monitoring')
  }
})

test('each trouble is said in monitoring, with a way to where it can be ended', async () => {
  const page = await relance.page()
  await page.route('**/monitoring', async (route) => {
    if (route.request().resourceType() === 'document') return route.fallback()
    const answer = await (await route.fetch()).json()
    const long = new Date(Date.parse(answer.at) - 5 * 60_000).toISOString()
    await route.fulfill({
      json: {
        ...answer,
        device: { ...answer.device, halted: true, halted_at: long, halt_reason: 'logged out' },
        workers: { ok: false, reason: 'nobody polls', polling: 0, last_seen_at: long },
        backlog: { webhooks: 3, oldest_webhook_at: long, answers: 2, oldest_answer_at: long },
      },
    })
  })
  await page.goto('monitoring')
  const concerns = page.getByRole('region', { name: 'Needs a person' })
  await concerns.getByText('No worker is running: nobody sends at the moment.').waitFor()
  await concerns.getByText('3 notices from the provider have not been applied yet.').waitFor()
  const links = await concerns.getByRole('link').evaluateAll((all) => all.map((link) => link.getAttribute('href')))
  expect(links).toEqual(['/app/campaigns', '/app/messages?type=message_2&status=pending'])
  await expectAccessible(page)
})

test('what needs a person is said on the overview, with what to do', async () => {
  const page = await relance.page()
  await page.route('**/monitoring', async (route) => {
    const answer = await (await route.fetch()).json()
    await route.fulfill({
      json: { ...answer, device: { ...answer.device, halted: true, halted_at: answer.at, halt_reason: 'logged out' } },
    })
  })
  await page.goto('')
  await page.getByText('Check it at the provider, then resume a campaign.').waitFor()
  await page.getByText('logged out').waitFor()
  await expectAccessible(page)
})

test('on a telephone nothing is cut, and the menu leads everywhere', async () => {
  const page = await relance.page({ viewport: { width: 360, height: 740 }, locale: 'fr-FR', colorScheme: 'dark' })
  for (const [path, heading] of [
    ['', 'Aperçu'],
    ['messages', 'Messages'],
    ['monitoring', 'Surveillance'],
  ] as const) {
    await page.goto(path)
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor()
    await page.locator('[data-ready]').first().waitFor()
    expect(await fits(page), path).toBe(true)
    await expectAccessible(page)
  }
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('link', { name: 'Campagnes' }).click()
  await page.getByRole('heading', { name: 'Campagnes', level: 1 }).waitFor()
})

test('the language and the colours that are chosen stay chosen', async () => {
  const page = await relance.page()
  await page.goto('')
  await page.getByLabel('Language').selectOption('fr')
  await page.getByRole('heading', { name: 'Aperçu' }).waitFor()
  await page.getByLabel('Couleurs').selectOption('dark')
  await page.reload()
  await page.getByRole('heading', { name: 'Aperçu' }).waitFor()
  expect(await page.locator('html').getAttribute('data-theme')).toBe('dark')
})
