import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { forecastSentence } from '../src/launch/sentence'
import { expectAccessible } from './accessible'
import { until, useRelance } from './relance'

const relance = useRelance()
let categoryID = ''
beforeAll(async () => {
  categoryID = (await relance.contacts(300, 'Customers')).categoryID
})

// The sentence is worked out here too, so the browser is where this process is.
const here = { timezoneId: Intl.DateTimeFormat().resolvedOptions().timeZone }
const ready = (page: Page) => page.getByRole('checkbox', { name: 'Customers' })
const named = async (name: string) =>
  (await relance.api('GET', '/campaigns?limit=200')).items.filter((campaign: any) => campaign.name === name)

async function write(page: Page, name: string, message2 = 'Thank you {{name}}!') {
  await ready(page).check()
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel('Message 1', { exact: true }).fill('Hello {{name|friend}}, how is {{town}}?')
  await page.getByLabel('Message 2', { exact: true }).fill(message2)
}

test('the count follows opt-outs, and the preview shows a real contact', async () => {
  const page = await relance.page()
  await page.goto('campaigns/new')
  await ready(page).check()
  await page.getByText('300 contacts will get it').waitFor()
  const { items } = await relance.api('GET', `/contacts?category_id=${categoryID}&limit=1`)
  await relance.api('POST', `/contacts/${items[0].id}/opt-out`)
  await page.getByText('299 contacts will get it').waitFor()

  const text = page.getByLabel('Message 1', { exact: true })
  await text.fill('Hello !')
  await text.evaluate((area: HTMLTextAreaElement) => area.setSelectionRange(6, 6))
  const buttons = page.getByRole('group', { name: 'Insert:' }).first()
  await buttons.getByRole('button', { name: '{{name}}', exact: true }).click()
  await buttons.getByRole('button', { name: '{{town}}' }).click()
  expect(await text.inputValue()).toBe('Hello {{name}}{{town}}!')
  await page.keyboard.type(' *now*')
  const preview = page.getByTestId('preview-message_1')
  const seen = async () => {
    const path = await page.getByLabel('Preview').getByRole('link').getAttribute('href')
    return relance.api('GET', path?.replace(/^\/app/, '') ?? '')
  }
  const first = await seen()
  expect(await preview.textContent()).toBe(`Hello ${first.name}${first.attributes.town} now!`)
  expect(await preview.locator('strong').textContent()).toBe('now')
  await page.getByRole('button', { name: 'Another contact' }).click()
  const second = await seen()
  expect(second.id).not.toBe(first.id)
  expect(await preview.textContent()).toBe(`Hello ${second.name}${second.attributes.town} now!`)

  await text.fill('Hello {{name}')
  await page.getByText('Braces do not close.').waitFor()
})

test('what the server refuses is said at its field; a draft is found again and launched', async () => {
  const page = await relance.page()
  await page.goto(`campaigns/new?category_id=${categoryID}`)
  await ready(page).waitFor()
  expect(await ready(page).isChecked()).toBe(true)
  expect(new URL(page.url()).search).toBe('')
  await write(page, 'Drafted', '')
  await page.getByRole('button', { name: 'Launch…' }).click()
  await page.getByText('Must not be empty.').waitFor()
  const second = page.getByLabel('Message 2', { exact: true })
  expect(await second.getAttribute('aria-invalid')).toBe('true')
  expect(await second.evaluate((area) => document.activeElement === area)).toBe(true)
  await expectAccessible(page)
  expect(await named('Drafted')).toEqual([])

  await second.fill('Thanks')
  await page.getByRole('button', { name: 'Save as a draft' }).click()
  await page.getByRole('heading', { name: 'Edit campaign' }).waitFor()
  const [draft] = await named('Drafted')
  expect(draft).toMatchObject({ status: 'draft', message_2: 'Thanks', category_ids: [categoryID] })
  expect(new URL(page.url()).pathname).toBe(`/app/campaigns/${draft.id}/edit`)

  const again = await relance.page()
  await again.goto(`campaigns/${draft.id}/edit`)
  await again.getByLabel('Message 2', { exact: true }).fill('Thanks a lot')
  expect(await again.getByLabel('Name', { exact: true }).inputValue()).toBe('Drafted')
  await again.getByRole('button', { name: 'Save as a draft' }).click()
  await again.getByText('Saved.').waitFor()
  expect(await relance.api('GET', `/campaigns/${draft.id}`)).toMatchObject({ message_2: 'Thanks a lot' })

  await again.getByLabel('Message 2', { exact: true }).fill('Many thanks')
  await again.getByRole('button', { name: 'Launch…' }).click()
  await again.getByRole('dialog').getByRole('button', { name: 'Launch now' }).click()
  await again.waitForURL(/campaigns\/[0-9a-f-]{36}$/)
  const [started, ...others] = await named('Drafted')
  expect(others).toEqual([])
  expect(started).toMatchObject({ id: draft.id, message_2: 'Many thanks' })
  expect(started.status).not.toBe('draft')
})

test('the forecast is that of the API, a reload loses nothing, and a double click launches once', async () => {
  const page = await relance.page(here)
  await page.goto('campaigns/new')
  await write(page, 'Launched')
  await until(async () => {
    const forecast = await relance.api('POST', '/campaigns/forecast', {
      name: 'x',
      message_1: 'x',
      message_2: 'x',
      category_ids: [categoryID],
    })
    const said = page.getByTestId('forecast')
    return (await said.count()) > 0 && (await said.textContent()) === forecastSentence(forecast, 'en')
  })

  await page.reload()
  await page.getByText('What you wrote before and did not save is back.').waitFor()
  await ready(page).waitFor()
  expect(await ready(page).isChecked()).toBe(true)
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Launched')
  expect(await page.getByLabel('Message 2', { exact: true }).inputValue()).toBe('Thank you {{name}}!')

  await page.getByRole('button', { name: 'Launch…' }).click()
  const question = page.getByRole('dialog', { name: 'Launch “Launched”?' })
  await question.getByText(/^\d+ contacts, each once/).waitFor()
  await expectAccessible(page)
  await question.getByRole('button', { name: 'Launch now' }).dblclick()
  await page.waitForURL(/campaigns\/[0-9a-f-]{36}$/)
  const launched = await named('Launched')
  expect(launched.map((campaign: any) => campaign.id)).toEqual([page.url().split('/').pop()])
  await until(async () => ['running', 'completed'].includes((await named('Launched'))[0].status))

  await page.goto('campaigns/new')
  await ready(page).waitFor()
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('')
  await page.goto(`campaigns/${launched[0].id}/edit`)
  await page.getByText('This campaign cannot be edited any more').waitFor()
})

test('a launch whose answer got lost is made once more and starts nothing twice', async () => {
  const page = await relance.page()
  await page.goto('campaigns/new')
  await write(page, 'Lost')
  let lost = 0
  await page.route('**/campaigns/start', async (route) => {
    lost += 1
    if (lost > 1) return route.continue()
    await route.fetch()
    await route.abort()
  })
  await page.getByRole('button', { name: 'Launch…' }).click()
  const launch = page.getByRole('dialog').getByRole('button', { name: 'Launch now' })
  await launch.click()
  await page.getByRole('dialog').getByRole('alert').waitFor()
  await launch.click()
  await page.waitForURL(/campaigns\/[0-9a-f-]{36}$/)
  expect(lost).toBe(2)
  expect(await named('Lost')).toHaveLength(1)
})

test('a test message leaves from a draft; a campaign is scheduled and planned anew', async () => {
  const page = await relance.page()
  await page.goto('campaigns/new')
  await write(page, 'Tested')
  const { quota } = await relance.api('GET', '/monitoring')
  await page.getByLabel('Phone number').fill('+33639989999')
  await page.getByRole('button', { name: 'Send a test' }).click()
  await page.getByText('The test message to +33639989999 has been accepted by WhatsApp.').waitFor()
  expect((await relance.api('GET', '/monitoring')).quota.used).toBeGreaterThan(quota.used)
  expect(await named('Tested')).toHaveLength(1)

  await page.getByLabel('At a date and time').check()
  const at = page.getByLabel('Date and time', { exact: true })
  await at.fill('2020-01-01T10:00')
  await page.getByText('Must not be in the past.').waitFor()
  await at.fill('2098-06-01T10:00')
  await page.getByRole('button', { name: 'Schedule…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Schedule' }).click()
  await page.waitForURL(/campaigns\/[0-9a-f-]{36}$/)
  const [scheduled] = await named('Tested')
  expect(scheduled).toMatchObject({ status: 'scheduled', scheduled_at: '2098-06-01T08:00:00Z' })

  await page.goto(`campaigns/${scheduled.id}/edit`)
  await at.fill('2099-06-01T10:00')
  await page.getByRole('button', { name: 'Schedule…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Schedule' }).click()
  await page.waitForURL(/campaigns\/[0-9a-f-]{36}$/)
  expect(await named('Tested')).toMatchObject([{ status: 'scheduled', scheduled_at: '2099-06-01T08:00:00Z' }])
})

test('it works on a telephone, in French, and for everybody', async () => {
  const page = await relance.page({ locale: 'fr-FR', viewport: { width: 360, height: 740 } })
  await page.goto('campaigns/new')
  await ready(page).check()
  await page.getByLabel('Message 1', { exact: true }).fill('Bonjour {{name|vous}} ! '.repeat(20))
  await page.getByText(/^\d+ contacts la recevront/).waitFor()
  await page.getByTestId('forecast').getByText('ne seront pas atteints').waitFor()
  await expectAccessible(page)
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)

  await page.getByRole('button', { name: 'La jouer heure par heure' }).click()
  await page.getByText('Ne doit pas être vide.').first().waitFor()
  await page.getByLabel('Nom', { exact: true }).fill('Printemps')
  await page.getByLabel('Message 2', { exact: true }).fill('Merci')
  await page.getByRole('button', { name: 'La jouer heure par heure' }).click()
  await page.getByRole('dialog', { name: 'La campagne, heure par heure' }).getByText("Rien n'est envoyé.").waitFor()
  await expectAccessible(page)
})
