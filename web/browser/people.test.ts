import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { expectAccessible } from './accessible'
import { useRelance } from './relance'

const relance = useRelance()

const logIn = async (page: Page, email: string, password: string) => {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

/** A user of one's own, so that no test ends another's session. */
async function user(role: 'admin' | 'super_admin' = 'admin') {
  const email = `${crypto.randomUUID()}@example.com`
  const password = 'correct horse'
  const { id } = await relance.api('POST', '/users', { email, password, role })
  const enter = async () => {
    const page = await relance.page({ loggedOut: true })
    await page.goto('account')
    await logIn(page, email, password)
    await page.getByRole('heading', { name: 'Account' }).waitFor()
    return page
  }
  return { id: id as string, email, password, enter }
}

/** Answers a question; the dialog that it is asked in may stand in another. */
const confirm = async (page: Page, button: string) => {
  await page.getByRole('dialog', { name: '?' }).getByRole('button', { name: button, exact: true }).click()
}

const expectToFit = async (page: Page) => {
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    `wider than the screen: ${page.url()}`,
  ).toBeLessThanOrEqual(0)
}

test('whoever is not logged in gets to the screen asked for by logging in', async () => {
  const page = await relance.page({ loggedOut: true })
  await page.goto('campaigns')
  await page.getByLabel('E-mail address').and(page.locator(':focus')).waitFor()
  await logIn(page, relance.email, 'not the password')
  await page.getByText('The e-mail address or the password is wrong.').waitFor()
  await expectAccessible(page)
  await logIn(page, relance.email, relance.password)
  await page.getByRole('heading', { name: 'Campaigns' }).waitFor()
  expect(new URL(page.url()).pathname).toBe('/app/campaigns')
})

test('who tries too many passwords is told when to come back', async () => {
  const { email } = await user()
  const page = await relance.page({ loggedOut: true, locale: 'fr-FR' })
  await page.goto('')
  for (let tries = 0; tries < 6; tries++) {
    await page.getByLabel('Adresse e-mail').fill(email)
    await page.getByLabel('Mot de passe').fill('wrong')
    const answered = page.waitForResponse('**/auth/login')
    await page.getByRole('button', { name: 'Se connecter' }).click()
    if ((await answered).status() === 429) break
  }
  await page.getByText(/Trop de tentatives. Réessayez dans \d+ (s|min)\./).waitFor()
})

test('a token is shown once, opens the API, and no longer when it is revoked', async () => {
  const page = await relance.page()
  const me = (token: string) => fetch(`${relance.url}/auth/me`, { headers: { Authorization: `Bearer ${token}` } })
  await page.goto('people')
  await page.getByRole('button', { name: 'Make a token' }).click()
  await page.getByLabel('What it is for').and(page.locator(':focus')).fill('Shop')
  await page.getByRole('button', { name: 'Make the token' }).click()
  await page.getByText('shown only this once').waitFor()
  const token = await page.getByLabel('Token', { exact: true }).inputValue()
  expect((await me(token)).status).toBe(200)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByRole('button', { name: 'Copy' }).click()
  await page.getByText('Copied').waitFor()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token)
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Done' }).click()

  const row = page.getByRole('row', { name: 'Shop' })
  await row.waitFor()
  await page.reload()
  await row.waitFor()
  expect(await page.content()).not.toContain(token)
  await expectAccessible(page)
  await row.getByRole('button', { name: 'Revoke' }).click()
  await expectAccessible(page)
  await confirm(page, 'Revoke the token')
  await row.waitFor({ state: 'detached' })
  expect((await me(token)).status).toBe(401)
  await page.getByRole('cell', { name: 'Revoked an API token' }).first().waitFor()
})

test('a super admin makes an admin, who sees no users, and shuts them out again', async () => {
  const page = await relance.page()
  const email = 'new.admin@example.com'
  await page.goto('people')
  const users = page.getByRole('region', { name: 'Users' })
  const create = async () => {
    await users.getByRole('button', { name: 'Create a user' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('E-mail address').fill(email)
    await dialog.getByLabel('First password').fill('correct horse')
    await dialog.getByRole('button', { name: 'Create the user' }).click()
  }
  await create()
  await users.getByRole('row', { name: email }).waitFor()
  await create()
  await page.getByText('Another user has this e-mail address.').waitFor()
  await expectAccessible(page)
  await page.keyboard.press('Escape')

  const theirs = await relance.page({ loggedOut: true })
  await theirs.goto('people')
  await logIn(theirs, email, 'correct horse')
  await theirs.getByRole('region', { name: 'What was done' }).getByRole('row').nth(1).waitFor()
  await theirs.getByText('You have no token').waitFor()
  expect(await theirs.getByRole('region', { name: 'Users' }).count()).toBe(0)
  await expectAccessible(theirs)

  const manage = users.getByRole('row', { name: email }).getByRole('button', { name: 'Manage' })
  await manage.click()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Disable', exact: true }).click()
  await confirm(page, 'Disable')
  await page.getByRole('button', { name: 'Enable again' }).waitFor()
  await theirs.getByRole('link', { name: 'Account' }).click()
  await theirs.getByText('Your session is over.').waitFor()
  await expectAccessible(theirs)

  await page.getByRole('link', { name: 'What they did' }).click()
  const log = page.getByRole('region', { name: 'What was done' })
  expect(await log.getByLabel('Who').locator('option:checked').textContent()).toBe(email)
  await log.getByRole('cell', { name: 'Logged in' }).waitFor()
  await log.getByRole('cell', { name: 'Created a user' }).first().waitFor({ state: 'detached' })
  await log.getByLabel('What').selectOption('Revoked an API token')
  await log.getByText('Nothing fits these filters').waitFor()
  await page.goBack()
  await log.getByRole('cell', { name: 'Logged in' }).waitFor()
})

test('the role and the password of a user can be changed', async () => {
  const { email, enter } = await user()
  const theirs = await enter()
  const page = await relance.page()
  await page.goto('people')
  const row = page.getByRole('region', { name: 'Users' }).getByRole('row', { name: email })
  await row.getByRole('button', { name: 'Manage' }).click()
  await page.getByRole('button', { name: 'Make super admin' }).click()
  await confirm(page, 'Make super admin')
  await page.getByRole('button', { name: 'Make admin' }).waitFor()
  await page.getByLabel('New password').fill('battery staple')
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.getByText('The password is set.').waitFor()
  await theirs.getByRole('link', { name: 'Users' }).click()
  await theirs.getByText('Your session is over.').waitFor()
  await theirs.getByLabel('Password').fill('battery staple')
  await theirs.getByRole('button', { name: 'Log in' }).click()
  await theirs.getByRole('region', { name: 'Users' }).waitFor()
})

test('a new password ends the other sessions and leaves this one', async () => {
  const { password, enter } = await user()
  const [page, other] = [await enter(), await enter()]
  await page.getByLabel('Current password').fill('not the password')
  await page.getByLabel('New password').fill('battery staple')
  await page.getByRole('button', { name: 'Change the password' }).click()
  await page.getByText('This is not the password that you log in with.').waitFor()
  await expectAccessible(page)
  await page.getByLabel('Current password').fill(password)
  await page.getByRole('button', { name: 'Change the password' }).click()
  await page.getByText('Your password is changed.').waitFor()
  await other.reload()
  await other.getByRole('heading', { name: 'Log in' }).waitFor()
  await page.reload()
  await page.getByText('This browser', { exact: true }).waitFor()
})

test('sessions are ended: one, all others, and this one by logging out', async () => {
  const { enter } = await user()
  const pages = [await enter(), await enter(), await enter(), await enter()] as const
  const [page, ...others] = pages
  await page.reload()
  const sessions = page.getByRole('region', { name: 'Where you are logged in' })
  await sessions.getByRole('row', { name: 'Chrome on Linux' }).nth(3).waitFor()
  await sessions.getByRole('button', { name: 'End', exact: true }).first().click()
  await confirm(page, 'End the session')
  await sessions.getByRole('row', { name: 'Chrome on Linux' }).nth(3).waitFor({ state: 'detached' })
  await sessions.getByRole('button', { name: 'End all others' }).click()
  await page.getByText('2 other browsers are logged out at once.').waitFor()
  await expectAccessible(page)
  await confirm(page, 'End the others')
  await page.getByText('2 sessions are ended.').waitFor()
  for (const other of others) {
    await other.reload()
    await other.getByRole('heading', { name: 'Log in' }).waitFor()
  }
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('heading', { name: 'Log in' }).waitFor()
  expect(await page.getByText('Your session is over.').count()).toBe(0)
  await page.reload()
  await page.getByRole('heading', { name: 'Log in' }).waitFor()
})

test('on a French telephone everything fits and is in French', async () => {
  const page = await relance.page({ locale: 'fr-FR', viewport: { width: 360, height: 780 } })
  await page.goto('people')
  await page.getByRole('heading', { name: 'Utilisateurs', exact: true }).waitFor()
  await page.getByRole('cell', { name: 'Utilisateur créé' }).first().waitFor()
  await expectToFit(page)
  await expectAccessible(page)
  await page.goto('account')
  await page.getByText('Chrome sur Linux').first().waitFor()
  await expectToFit(page)
  await expectAccessible(page)

  const out = await relance.page({ locale: 'fr-FR', viewport: { width: 360, height: 780 }, loggedOut: true })
  await out.goto('')
  await out.getByRole('heading', { name: 'Connexion' }).waitFor()
  expect(await out.locator('html').getAttribute('lang')).toBe('fr')
  await expectToFit(out)
})

test('the theme and the language that are chosen are kept', async () => {
  const page = await relance.page()
  await page.goto('account')
  const screen = page.locator('main')
  await screen.getByLabel('Colours').selectOption('Dark')
  await screen.getByLabel('Language').selectOption('Français')
  await page.getByRole('heading', { name: 'Compte' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'Compte' }).waitFor()
  expect(await page.locator('html').getAttribute('data-theme')).toBe('dark')
  expect(await page.getByRole('navigation').getByLabel('Couleurs').inputValue()).toBe('dark')
})
