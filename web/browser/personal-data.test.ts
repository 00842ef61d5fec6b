import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { expectAccessible } from './accessible'
import { until, useRelance } from './relance'

const relance = useRelance()

type Person = { contact_id: string; phone: string; name: string }
/** A campaign of many, and two of those whom it has answered; the first wrote a text. */
let campaign = ''
let writer: Person
let another: Person

beforeAll(async () => {
  const { categoryID } = await relance.contacts(60, 'Spring')
  const started = await relance.api('POST', '/campaigns/start', {
    name: 'Spring',
    message_1: 'Hello {{name}} of {{town}}!',
    message_2: 'Thank you, {{name}}.',
    category_ids: [categoryID],
  })
  campaign = started.campaign.id
  await until(async () => {
    const { items } = await relance.api('GET', `/campaigns/${campaign}/recipients?state=message_2_sent`)
    const wrote = await Promise.all(
      items.map(async ({ contact_id }: Person) => {
        const { items: story } = await relance.api('GET', `/contacts/${contact_id}/timeline`)
        return story.some((event: { interaction_type?: string }) => event.interaction_type === 'text')
      }),
    )
    writer = items.find((_: Person, i: number) => wrote[i])
    another = items.find((person: Person) => person !== writer)
    return writer !== undefined && another !== undefined
  })
})

/** Somebody with a number of their own, in no campaign. */
const add = (phone: string, name: string): Promise<{ id: string }> => relance.api('POST', '/contacts', { phone, name })

/** The number as people of its country write it: 06 39 98 00 01. */
const atHome = (phone: string) => phone.replace('+33', '0').replace(/(..)(?=.)/g, '$1 ')

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })

const exists = async (id: string) =>
  (await relance.api('GET', `/contacts?limit=200`)).items.some((contact: { id: string }) => contact.id === id)

test('a person is found by their number, and the file that is exported has what was written to them, what they wrote, and nothing of others', async () => {
  const page = await relance.page()
  await page.goto('contacts')
  await page.getByLabel('Search').fill(atHome(writer.phone))
  await page.getByText('1 contact', { exact: true }).waitFor()
  await page.getByRole('link', { name: writer.name }).click()
  await page.waitForURL(`**/contacts/${writer.contact_id}`)
  const card = page.getByRole('region', { name: 'Personal data' })
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    card.getByRole('button', { name: 'Export data' }).click(),
  ])

  expect(file.suggestedFilename()).toBe(`personal-data-${writer.contact_id}.json`)
  const text = await readFile(await file.path(), 'utf8')
  const data = JSON.parse(text)
  expect(data.contact).toMatchObject({ phone: writer.phone, name: writer.name, categories: ['Spring'] })
  const { town } = data.contact.attributes
  expect(town).toMatch(/./)
  expect(data.campaigns).toHaveLength(1)
  expect(data.campaigns[0].messages.map((message: { text: string }) => message.text)).toEqual([
    `Hello ${writer.name} of ${town}!`,
    `Thank you, ${writer.name}.`,
  ])
  const told = data.webhooks.map(
    ({ content }: { content: { event: string; data: { fromNumber?: string; body?: string } } }) => content,
  )
  expect(told).toContainEqual(
    expect.objectContaining({
      event: 'message:in:new',
      data: expect.objectContaining({ type: 'text', fromNumber: writer.phone, body: expect.stringMatching(/./) }),
    }),
  )
  expect(text).not.toContain(another.phone.slice(1))
  expect(await card.getByRole('alert').count()).toBe(0)
})

test('nobody is erased by a slip: not by two clicks in one place, not by Enter, Escape or going back', async () => {
  const { id } = await add('+33639970501', 'Nina Kept')
  for (const viewport of [
    { width: 1280, height: 860 },
    { width: 360, height: 740 },
  ]) {
    const page = await relance.page({ viewport })
    const requests: string[] = []
    page.on('request', (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`))
    await page.goto(`contacts/${id}`)
    const erase = page
      .getByRole('region', { name: 'Personal data' })
      .getByRole('button', { name: 'Erase', exact: true })
    const dialog = page.getByRole('dialog', { name: 'Erase everything about Nina Kept?' })
    await erase.dblclick()
    await dialog.getByText('This cannot be undone.').waitFor()
    await dialog.getByText('They have not opted out').waitFor()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await erase.press('Enter')
    await dialog.waitFor()
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    await erase.click()
    await dialog.getByRole('button', { name: 'Go back' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(requests.filter((request) => request.includes('erase'))).toEqual([])
  }
  expect(await exists(id)).toBe(true)
})

test('an admin erases a person, who is then in no list, and a second look says so', async () => {
  const login = { email: `${crypto.randomUUID()}@example.com`, password: 'correct horse' }
  await relance.api('POST', '/users', { ...login, role: 'admin' })
  const page = await relance.page({ loggedOut: true })
  await page.context().request.post(`${relance.url}/auth/login`, { data: login })
  await page.goto(`campaigns/${campaign}`)
  await row(page, another.name).first().waitFor()
  await page.goto('messages')
  await row(page, another.name).first().waitFor()

  await page.goto('contacts')
  await page.getByLabel('Search').fill(another.phone)
  await page.getByRole('link', { name: another.name }).click()
  const card = page.getByRole('region', { name: 'Personal data' })
  await card.getByRole('button', { name: 'Erase', exact: true }).click()
  await page.getByRole('button', { name: 'Erase for good' }).click()
  await page.getByText('Erased. Traces in what the provider told are gone within about two minutes.').waitFor()
  await page.waitForURL('**/app/contacts')
  await row(page, 'Spring').first().waitFor()
  await row(page, another.name).waitFor({ state: 'detached' })
  await page.getByLabel('Search').fill(atHome(another.phone))
  await page.getByText('Nobody matches').waitFor()

  for (const [path, other] of [
    [`campaigns/${campaign}`, writer.name],
    ['messages', writer.name],
  ] as const) {
    await page.goto(path)
    await row(page, other).first().waitFor()
    expect(await page.locator('main').innerText(), path).not.toContain(another.name)
  }

  await page.goto(`contacts/${another.contact_id}`)
  await page.getByRole('heading', { name: 'Deleted contact' }).waitFor()
  await page.getByText('This contact has been deleted or erased.').waitFor()
  await page.getByText('Message 2 accepted by WhatsApp').waitFor() // what happened is kept, to whom is not
  expect(await page.content()).not.toContain(another.name)
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Erase', exact: true }).click()
  await page.getByRole('dialog', { name: 'Erase everything about this person?' }).waitFor()
  await page.getByRole('button', { name: 'Erase for good' }).click()
  await page.getByText('Erased. Traces in what the provider told').waitFor()
})

test('who was erased and was in no campaign leaves nothing to be exported, and the card says so', async () => {
  const { id } = await add('+33639970502', 'Olga Gone')
  await relance.api('POST', `/contacts/${id}/erase`)
  const page = await relance.page({ locale: 'fr-FR' })
  let downloads = 0
  page.on('download', () => downloads++)
  await page.goto(`contacts/${id}`)
  await page.getByRole('heading', { name: 'Contact supprimé' }).waitFor()
  await page.getByRole('button', { name: 'Exporter les données' }).click()
  await page.getByText("Rien n'est enregistré sur cette personne.").waitFor()
  await page.getByText("Aucune campagne n'a rien enregistré sur ce contact.").waitFor()
  expect(await page.getByRole('alert').count(), 'nothing else is wrong').toBe(1)
  await expectAccessible(page)
  expect(downloads).toBe(0)
})

test('on a French telephone the card fits and is in French, and says why something could not be done', async () => {
  const { id } = await add('+33639970503', 'Paul Visible')
  const page = await relance.page({ locale: 'fr-FR', viewport: { width: 360, height: 740 } })
  await page.goto(`contacts/${id}`)
  const card = page.getByRole('region', { name: 'Données personnelles' })
  await page.route(/\/contacts\/[^/]*\/(personal-data|erase)$/, (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: JSON.stringify({ status: 503, detail: 'This took too long. Try again in a moment.' }),
    }),
  )
  await card.getByRole('button', { name: 'Exporter les données' }).click()
  await card.getByText("C'était trop long. Réessayez dans un instant.").waitFor()
  await expectAccessible(page)
  await card.getByRole('button', { name: 'Effacer', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Effacer tout ce qui concerne Paul Visible' })
  await dialog.getByText('Cette action est irréversible.').waitFor()
  await dialog.getByText("Cette personne n'est pas désinscrite").waitFor()
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(wide, 'wider than the screen').toBeLessThanOrEqual(0)
  await dialog.getByRole('button', { name: 'Effacer définitivement' }).click()
  await dialog.getByText("C'était trop long. Réessayez dans un instant.").waitFor()
  await expectAccessible(page)
  expect(await exists(id)).toBe(true)

  await page.unrouteAll()
  await dialog.getByRole('button', { name: 'Effacer définitivement' }).click()
  await page.getByText('Données effacées.').waitFor()
  await page.waitForURL('**/app/contacts')
  expect(await exists(id)).toBe(false)
})

test('whose session is over neither exports nor erases, and has to log in', async () => {
  const { id } = await add('+33639970504', 'Rita Safe')
  for (const tries of [['Export data'], ['Erase', 'Erase for good']]) {
    const page = await relance.page()
    let downloads = 0
    page.on('download', () => downloads++)
    await page.goto(`contacts/${id}`)
    const card = page.getByRole('region', { name: 'Personal data' })
    await card.getByRole('button', { name: 'Erase', exact: true }).waitFor()
    await page.context().clearCookies()
    for (const name of tries) await page.getByRole('button', { name, exact: true }).click()
    await page.getByText('Your session is over.').waitFor()
    expect(downloads).toBe(0)
  }
  expect(await exists(id)).toBe(true)
})
