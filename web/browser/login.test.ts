import { expect, test } from 'vitest'
import { expectAccessible } from './accessible'
import { useRelance } from './relance'

const relance = useRelance()

test('whoever is not logged in gets to the screen asked for by logging in', async () => {
  const page = await relance.page({ loggedOut: true })
  await page.goto('campaigns')
  await page.getByLabel('E-mail address').fill(relance.email)
  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByText('The e-mail address or the password is wrong.').waitFor()
  await expectAccessible(page)
  await page.getByLabel('Password').fill(relance.password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Campaigns' }).waitFor()
  expect(new URL(page.url()).pathname).toBe('/app/campaigns')
})

test('a French browser is spoken to in French', async () => {
  const page = await relance.page({ loggedOut: true, locale: 'fr-FR' })
  await page.goto('')
  await page.getByRole('heading', { name: 'Connexion' }).waitFor()
  expect(await page.locator('html').getAttribute('lang')).toBe('fr')
})
