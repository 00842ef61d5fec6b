import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'vitest'
import { type Relance, startRelance, until } from './relance'

// With a folder of one's own, every screen is taken in every form, to be looked at.
const all = process.env.SHOTS
const folder = all ?? resolve(import.meta.dirname, '../../docs/screenshots')

// Every screen, with data as an admin would have them: light and wide, and the
// overview also dark, and on a telephone in French.
test('screenshots of every screen', { timeout: 600_000 }, async () => {
  mkdirSync(folder, { recursive: true })
  const relance = await startRelance({ SEND_LIMIT: '1000' })
  try {
    const { campaign, draft, contact, importID } = await aMorning(relance)
    const screens: [name: string, path: string][] = [
      ['overview', ''],
      ['campaigns', 'campaigns'],
      ['campaign', `campaigns/${campaign}`],
      ['new-campaign', `campaigns/${draft}/edit`],
      ['contacts', 'contacts'],
      ['contact', `contacts/${contact}`],
      ['import', 'contacts/import'],
      ['import-done', `contacts/imports/${importID}`],
      ['categories', 'categories'],
      ['messages', 'messages'],
      ['monitoring', 'monitoring'],
      ['people', 'people'],
      ['account', 'account'],
    ]
    for (const [suffix, options] of [
      ['', {}],
      ['-dark', { colorScheme: 'dark' }],
      ['-phone', { viewport: { width: 360, height: 1100 }, deviceScaleFactor: 2 }],
      [
        '-phone-dark',
        { viewport: { width: 360, height: 1100 }, deviceScaleFactor: 2, colorScheme: 'dark', locale: 'fr-FR' },
      ],
    ] as const) {
      const page = await relance.page(options)
      for (const [name, path] of screens) {
        if (!all && suffix && !(name === 'overview' && suffix.endsWith('dark'))) continue
        await page.goto(path)
        await page.locator('h1').waitFor()
        await page.waitForFunction(() => !document.querySelector('.skeletons'))
        await page.screenshot({ path: `${folder}/${name}${suffix}.png` })
      }
      await page.context().close()
    }
    const login = await relance.page({ loggedOut: true })
    await login.goto('')
    await login.getByLabel('Password').waitFor()
    await login.screenshot({ path: `${folder}/login.png` })
  } finally {
    await relance.stop()
  }
})

/** A finished campaign, one that is running, and one that waits for its day. */
async function aMorning({ api, contacts }: Relance) {
  const { categoryID: customers } = await contacts(160, 'Customers')
  const { categoryID: prospects } = await contacts(240, 'Prospects')
  await api('POST', '/categories', { name: 'Press' })
  const texts = {
    message_1: 'Hello {{name|there}}, our private sale opens tomorrow in {{town|Paris}}. Shall we keep you a place?',
    message_2: 'Thank you {{name}}! Your place is kept. Here is your invitation.',
  }
  const start = (name: string, category: string, more = {}) =>
    api('POST', '/campaigns/start', { name, ...texts, category_ids: [category], ...more })
  const first = await start('Spring sale', customers)
  await until(async () => (await api('GET', `/campaigns/${first.campaign.id}`)).status === 'completed', 180)
  const second = await start('Summer preview', prospects)
  await start('Autumn collection', customers, { scheduled_at: new Date(Date.now() + 26 * 3_600_000).toISOString() })
  const draft = await api('POST', '/campaigns', { name: 'Winter sale', ...texts, category_ids: [prospects, customers] })
  const job = await api(
    'POST',
    `/contacts/import?category_id=${customers}`,
    'phone,name\n+33639989001,Camille Noir\nno number,Alix Blanc\n',
  )
  await until(async () => (await api('GET', `/campaigns/${second.campaign.id}/stats`)).interactions > 25, 60)
  await until(async () => (await api('GET', `/imports/${job.id}`)).state === 'done')
  const replied = await api('GET', `/campaigns/${first.campaign.id}/recipients?state=message_2_sent&limit=1`)
  return {
    draft: draft.id as string,
    campaign: second.campaign.id as string,
    contact: replied.items[0].contact_id as string,
    importID: job.id as string,
  }
}
