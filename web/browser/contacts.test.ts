import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { expectAccessible } from './accessible'
import { type Relance, until, useRelance } from './relance'

const relance = useRelance()

test('a file of 1,000 contacts from a French spreadsheet is imported, and its bad rows are told', async () => {
  const page = await relance.page({ locale: 'fr-FR' })
  await page.goto('contacts/import')
  await page.getByLabel('Fichier CSV').setInputFiles({
    name: 'clients.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(frenchFile(997), 'latin1'),
  })
  const preview = page.getByRole('region', { name: 'Les premières lignes du fichier' })
  await preview.getByRole('cell', { name: 'Zoé Lefèvre 0', exact: true }).waitFor()
  expect(await preview.getByRole('columnheader').allInnerTexts()).toEqual([
    expect.stringMatching(/^Numéro de téléphone\s+Téléphone$/),
    expect.stringMatching(/^Nom du client\s+{{Nom_du_client}}$/),
    expect.stringMatching(/^Ville\s+{{Ville}}$/),
  ])
  await page.getByLabel('Les noms sont dans').selectOption('Nom du client')
  await preview.getByRole('columnheader', { name: 'Nom du client Nom', exact: true }).waitFor()
  await page.getByLabel("Catégorie qu'ils rejoignent").selectOption('Une nouvelle catégorie…')
  await page.getByLabel('Nom de la nouvelle catégorie').fill('Clients 2025')
  expect(await page.getByLabel('Pays des numéros sans indicatif').inputValue()).toBe('FR')
  await expectAccessible(page)
  await page.getByRole('button', { name: "Lancer l'import" }).click()

  await page.getByText('1 000 lignes ont été lues.').waitFor()
  expect(await figure(page, 'Nouveaux')).toBe('997')
  expect(await figure(page, 'Rejetés')).toBe('3')
  const rejected = page.getByRole('table', { name: 'Lignes rejetées' })
  expect(await rejected.getByRole('row').allInnerTexts()).toEqual([
    expect.stringMatching(/Ligne\s+Raison/),
    expect.stringMatching(/999\s+le téléphone est trop court pour son pays/),
    expect.stringMatching(/1\s000\s+le téléphone est vide/),
    expect.stringMatching(/1\s001\s+le téléphone n'est pas un numéro de téléphone/),
  ])
  await expectAccessible(page)
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Télécharger errors.csv' }).click(),
  ])
  expect(file.suggestedFilename()).toMatch(/errors\.csv$/)
  const campaign = page.getByRole('link', { name: 'Créer une campagne pour eux' })
  expect(await campaign.getAttribute('href')).toMatch(/\/app\/campaigns\/new\?category_id=[0-9a-f-]{36}$/)

  await page.getByRole('link', { name: 'Clients 2025' }).click()
  await page.getByText('997 contacts').waitFor()
  await page.getByRole('link', { name: 'Contacts', exact: true }).click()
  await page.getByLabel('Rechercher').fill('lefèvre 421')
  await page.getByText('1 contact', { exact: true }).waitFor()
  await row(page, 'Zoé Lefèvre 421').waitFor()
  expect(new URL(page.url()).search).toBe('?q=lef%C3%A8vre+421')

  await page.goto('contacts/import')
  await page.getByRole('table', { name: 'Imports passés' }).getByRole('link', { name: '997' }).waitFor()
})

test('an answer to an older search never takes the place of a newer one', async () => {
  await add({ phone: '+33639970001', name: 'Anna Early' }, { phone: '+33639970002', name: 'Berta Later' })
  const page = await relance.page()
  const late: (() => Promise<void>)[] = []
  await page.route(/\/contacts\?q=anna/, (route) => {
    late.push(() => route.continue())
  })
  await page.goto('contacts')
  await page.getByLabel('Search').fill('anna')
  await until(async () => late.length > 0)
  const newer = page.waitForResponse(/q=berta/)
  await page.getByLabel('Search').fill('berta')
  await newer
  await row(page, 'Anna Early').waitFor({ state: 'detached' })
  for (const go of late) await go().catch(() => {}) // the browser may have given it up
  await page.getByText('1 contact', { exact: true }).waitFor()
  expect(await page.getByRole('row').count()).toBe(2)
  expect(await row(page, 'Anna Early').count()).toBe(0)
})

test('a contact is created, edited, opted out, put into a category, taken out and deleted', async () => {
  const { id } = await relance.api('POST', '/categories', { name: 'Friends' })
  const page = await relance.page()
  await page.goto('contacts')
  await page.getByRole('button', { name: 'New contact' }).click()
  await page.getByLabel('Phone number').fill('+33 6 39 97 01 01')
  await page.getByLabel('Name', { exact: true }).fill('Camille Durand')
  await page.getByRole('button', { name: 'Add a variable' }).click()
  await page.getByLabel('Name of the variable').fill('town')
  await page.getByLabel('town', { exact: true }).fill('Lyon')
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Create contact' }).click()
  await row(page, 'Camille Durand').getByText('town: Lyon').waitFor()

  await page.getByRole('button', { name: 'Edit Camille Durand' }).click()
  await page.getByLabel('Name', { exact: true }).fill('Camille Petit')
  await page.getByRole('button', { name: 'Save' }).click()
  await row(page, 'Camille Petit').waitFor()

  await page.getByLabel('Select Camille Petit').check()
  await page.getByLabel('Category', { exact: true }).last().selectOption('Friends')
  await page.getByRole('button', { name: 'Put in' }).click()
  await row(page, 'Camille Petit').getByRole('link', { name: 'Friends' }).click()
  await page.getByText('1 contact', { exact: true }).waitFor()
  expect(new URL(page.url()).search).toBe(`?category_id=${id}`)
  await page.getByLabel('Select Camille Petit').check()
  await page.getByLabel('Category', { exact: true }).last().selectOption('Friends')
  await page.getByRole('button', { name: 'Take out' }).click()
  await page.getByText('Nobody matches').waitFor()
  await page.getByRole('button', { name: 'List everybody' }).click()

  await page.getByRole('button', { name: 'Opt out Camille Petit' }).click()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Never message again' }).click()
  await row(page, 'Camille Petit').getByText('Opted out').waitFor()
  await page.getByLabel('Messages').selectOption('Opted out')
  await page.getByText('1 contact', { exact: true }).waitFor()

  await page.getByRole('button', { name: 'Delete Camille Petit' }).click()
  await page.getByText('Past campaigns keep what they recorded').waitFor()
  await page.getByRole('button', { name: 'Delete contact' }).click()
  await page.getByText('Nobody matches').waitFor()
  await until(async () => (await relance.api('GET', '/contacts?q=camille')).items.length === 0)
})

const TIMES = 5
const WAIT = 1_000
const problem = (status: number, detail: string, field?: string) => ({
  status,
  contentType: 'application/problem+json',
  body: JSON.stringify({ status, detail, errors: field ? [{ location: field, message: detail }] : [] }),
})

test('Property 3: contacts appear and disappear within 50 ms, and a refusal takes it back and says why', async () => {
  await add({ phone: '+33639970201', name: 'Dora Stays' })
  const page = await relance.page()
  await page.goto('contacts')
  await row(page, 'Dora Stays').waitFor()
  const taken = 'Another contact has this phone number.'
  await page.route(/\/contacts$/, async (route) => {
    if (route.request().method() !== 'POST') return route.continue()
    await new Promise((wake) => setTimeout(wake, WAIT))
    await route.fulfill(problem(409, taken, 'body.phone'))
  })
  await page.route(/\/contacts\/[^/]*$/, async (route) => {
    if (route.request().method() !== 'DELETE') return route.continue()
    await new Promise((wake) => setTimeout(wake, WAIT))
    await route.fulfill(problem(500, 'Something broke.'))
  })

  const created = await median(async (n) => {
    const name = `Eva Refused ${n}`
    await page.getByRole('button', { name: 'New contact' }).click()
    await page.getByLabel('Phone number').fill('+33 6 39 97 02 02')
    await page.getByLabel('Name', { exact: true }).fill(name)
    const took = await timed(page, name, 'appears', () => page.getByRole('button', { name: 'Create contact' }).click())
    // Taken back: the row is gone, and the dialog is there again as it was filled in.
    await page.getByText(`${name} was not created: ${taken}`).waitFor()
    expect(await row(page, name).count()).toBe(0)
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe(name)
    expect(await page.getByLabel('Phone number').inputValue()).toBe('+33 6 39 97 02 02')
    await page.getByRole('dialog').getByText(taken).waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await closeToast(page)
    return took
  })
  expect(created).toBeLessThan(50)

  const deleted = await median(async () => {
    await page.getByRole('button', { name: 'Delete Dora Stays' }).click()
    const took = await timed(page, 'Dora Stays', 'disappears', () =>
      page.getByRole('button', { name: 'Delete contact' }).click(),
    )
    await row(page, 'Dora Stays').waitFor()
    await page.getByText('Dora Stays was not deleted and is back in the list: Something broke.').waitFor()
    await closeToast(page)
    return took
  })
  expect(deleted).toBeLessThan(50)
})

test('Property 3: categories appear and disappear within 50 ms, and a refusal takes it back and says why', async () => {
  await relance.api('POST', '/categories', { name: 'Kept' })
  const page = await relance.page()
  await page.goto('categories')
  await row(page, 'Kept').waitFor()
  await page.route(/\/categories(\/[^/]*)?$/, async (route) => {
    const method = route.request().method()
    if (method !== 'POST' && method !== 'DELETE') return route.continue()
    await new Promise((wake) => setTimeout(wake, WAIT))
    await route.fulfill(problem(method === 'POST' ? 500 : 409, 'It cannot be.'))
  })
  const created = await median(async (n) => {
    await page.getByRole('button', { name: 'New category' }).click()
    await page.getByRole('textbox', { name: 'Name' }).fill(`Refused ${n}`)
    const took = await timed(page, `Refused ${n}`, 'appears', () =>
      page.getByRole('button', { name: 'Create category' }).click(),
    )
    await page.getByText(`The category Refused ${n} was not created: It cannot be.`).waitFor()
    expect(await row(page, `Refused ${n}`).count()).toBe(0)
    expect(await page.getByRole('textbox', { name: 'Name' }).inputValue()).toBe(`Refused ${n}`)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await closeToast(page)
    return took
  })
  expect(created).toBeLessThan(50)
  const deleted = await median(async () => {
    await page.getByRole('button', { name: 'Delete Kept' }).click()
    const took = await timed(page, 'Kept', 'disappears', () =>
      page.getByRole('button', { name: 'Delete category' }).click(),
    )
    await row(page, 'Kept').waitFor()
    await page.getByText('The category Kept was not deleted and is back in the list: It cannot be.').waitFor()
    await closeToast(page)
    return took
  })
  expect(deleted).toBeLessThan(50)
})

test('categories are created, renamed and deleted', async () => {
  const page = await relance.page()
  await page.goto('categories')
  await page.getByRole('button', { name: 'New category' }).first().click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Bakers')
  await page.getByRole('button', { name: 'Create category' }).click()
  await page.getByRole('button', { name: 'Rename Bakers' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Butchers')
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Rename', exact: true }).click()
  await row(page, 'Butchers').waitFor()
  await page.getByRole('button', { name: 'Delete Butchers' }).click()
  await page.getByRole('button', { name: 'Delete category' }).click()
  await row(page, 'Butchers').waitFor({ state: 'detached' })
  await until(async () => {
    const { items } = await relance.api('GET', '/categories')
    return !items.some((category: { name: string }) => category.name === 'Butchers')
  })
})

test("a contact's story tells what happened in a campaign; every screen is fit for a telephone and a screen reader", async () => {
  const { categoryID } = await relance.contacts(20, 'Story')
  const { campaign } = await relance.api('POST', '/campaigns/start', {
    name: 'Spring',
    message_1: 'Hello {{name}}!',
    message_2: 'Thank you.',
    category_ids: [categoryID],
  })
  let contact = ''
  await until(async () => {
    const { items } = await relance.api('GET', `/campaigns/${campaign.id}/recipients?state=message_2_sent&limit=1`)
    contact = items[0]?.contact_id
    return contact !== undefined
  })
  const page = await relance.page()
  await page.goto(`contacts/${contact}`)
  await page.getByText('Message 1 accepted by WhatsApp').waitFor()
  await page
    .getByText(/^Replied with .*, in time$/)
    .first()
    .waitFor()
  await page.getByText('Finished: answered').waitFor()
  await expectAccessible(page)
  await page.getByRole('link', { name: 'Spring' }).click()
  await page.waitForURL(`**/app/campaigns/${campaign.id}`)

  const telephone = await relance.page({ locale: 'fr-FR', viewport: { width: 360, height: 740 }, colorScheme: 'dark' })
  const [job] = (await relance.api('GET', '/imports')).items
  for (const [path, seen] of [
    ['contacts', 'Contacts'],
    [`contacts?category_id=${categoryID}`, 'Contacts'],
    ['contacts?q=nobodyatall', 'Contacts'],
    [`contacts/${contact}`, undefined],
    ['contacts/import', 'Importer des contacts'],
    [`contacts/imports/${job.id}`, 'Import'],
    ['categories', 'Catégories'],
  ] as const) {
    await telephone.goto(path)
    await telephone.getByRole('heading', { level: 1, name: seen, exact: true }).waitFor()
    await telephone.locator('.skeleton').first().waitFor({ state: 'detached' })
    await expectAccessible(telephone)
    const wide = await telephone.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(wide, path).toBeLessThanOrEqual(0)
  }
})

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })

const closeToast = (page: Page) => page.locator('.toast').getByRole('button', { name: 'Close' }).click()

const figure = (page: Page, name: string) =>
  page.locator('.figure').filter({ hasText: name }).locator('.value').textContent()

const add = (...contacts: Parameters<Relance['api']>[2][]) =>
  Promise.all(contacts.map((contact) => relance.api('POST', '/contacts', contact)))

function frenchFile(good: number): string {
  const number = (n: number) =>
    `06 39 99 ${String(Math.floor(n / 100)).padStart(2, '0')} ${String(n % 100).padStart(2, '0')}`
  const rows = Array.from({ length: good }, (_, n) => `${number(n)};Zoé Lefèvre ${n};Orléans`)
  return [
    'Numéro de téléphone;Nom du client;Ville',
    ...rows,
    '06 39;Court;Lille',
    ';Sans;Lille',
    'abc;Lettres;Lille',
  ].join('\r\n')
}

async function median(measure: (n: number) => Promise<number>): Promise<number> {
  const all: number[] = []
  for (let n = 1; n <= TIMES; n += 1) all.push(await measure(n))
  return all.sort((a, b) => a - b)[Math.floor(TIMES / 2)] ?? Number.NaN
}

/** How many milliseconds after the click, by the page's own clock, a row appears or disappears. */
async function timed(
  page: Page,
  name: string,
  how: 'appears' | 'disappears',
  click: () => Promise<void>,
): Promise<number> {
  await page.evaluate(
    ([name, how]) => {
      const listed = () => [...document.querySelectorAll('tbody tr')].some((tr) => tr.textContent?.includes(name))
      ;(window as unknown as { took: Promise<number> }).took = new Promise((done) => {
        let clicked = Number.NaN
        addEventListener(
          'click',
          (event) => {
            clicked = event.timeStamp
          },
          { capture: true, once: true },
        )
        const observer = new MutationObserver(() => {
          if (Number.isNaN(clicked) || listed() !== (how === 'appears')) return
          observer.disconnect()
          done(performance.now() - clicked)
        })
        observer.observe(document.body, { subtree: true, childList: true, characterData: true })
      })
    },
    [name, how] as const,
  )
  await click()
  return page.evaluate(() => (window as unknown as { took: Promise<number> }).took)
}
