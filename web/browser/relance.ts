import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'

/** The real binary with its whole stack and the simulated provider. */
export type Relance = {
  url: string
  email: string
  password: string
  /** calls the API as a machine would */
  api: (method: string, path: string, body?: unknown) => Promise<any>
  /** imports so many contacts with names and numbers of their own, into a category */
  contacts: (count: number, category: string) => Promise<{ categoryID: string }>
  /** a new browser, logged in unless told otherwise */
  page: (options?: BrowserContextOptions & { loggedOut?: boolean }) => Promise<Page>
  stop: () => Promise<void>
}

const root = resolve(import.meta.dirname, '../..')

/** How long an hour of a campaign lasts here. */
export const HOUR = '500ms'

/** Starts Relance on an empty directory; whatever is in environment overrides its configuration. */
export async function startRelance(environment: Record<string, string> = {}): Promise<Relance> {
  const data = mkdtempSync(join(tmpdir(), 'relance-browser-'))
  const stack = spawn(join(root, 'bin/relance'), ['dev', '--demonstration=false', '--data', data, '--hour', HOUR], {
    cwd: root,
    env: { ...process.env, HTTP_ADDR: '127.0.0.1:0', API_RATE_LIMIT: '100000', SEND_LIMIT: '100000', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = await whatItSays(stack)
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  const api = caller(said)
  let imported = 0
  return {
    ...said,
    api,
    async contacts(count, category) {
      const { id: categoryID } = await api('POST', '/categories', { name: category })
      const rows = Array.from(
        { length: count },
        (_, i) => `+33639${980000 + imported + i},${name(imported + i)},${towns[i % towns.length]}`,
      )
      imported += count
      const job = await api(
        'POST',
        `/contacts/import?category_id=${categoryID}`,
        `phone,name,town\n${rows.join('\n')}\n`,
      )
      await until(async () => (await api('GET', `/imports/${job.id}`)).state === 'done')
      return { categoryID }
    },
    page: (options) => openPage(browser, said, options),
    async stop() {
      await browser.close()
      const ended = new Promise((done) => stack.once('exit', done))
      stack.kill('SIGTERM')
      await ended
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** One Relance for the tests of a file. */
export function useRelance(environment: Record<string, string> = {}): Relance {
  const relance = {} as Relance
  beforeAll(async () => {
    Object.assign(relance, await startRelance(environment))
  })
  afterAll(() => relance.stop?.())
  return relance
}

/** Waits until something holds; asks every 50 ms, for a minute at most. */
export async function until(holds: () => Promise<boolean>, seconds = 60) {
  for (const end = Date.now() + 1000 * seconds; Date.now() < end; ) {
    if (await holds()) return
    await new Promise((wake) => setTimeout(wake, 50))
  }
  throw new Error(`it did not come to hold within ${seconds} s: ${holds}`)
}

const given = ['Emma', 'Louis', 'Chloé', 'Hugo', 'Inès', 'Jules', 'Léa', 'Noé', 'Zoé', 'Adam']
const family = [
  'Martin',
  'Bernard',
  'Petit',
  'Durand',
  'Leroy',
  'Moreau',
  'Simon',
  'Laurent',
  'Garcia',
  'Fontaine',
  'Roux',
]
const towns = ['Paris', 'Lyon', 'Nantes', 'Lille', 'Bordeaux']
const name = (n: number) => `${given[n % given.length]} ${family[Math.floor(n / given.length) % family.length]}`

type Said = Pick<Relance, 'url' | 'email' | 'password'> & { token: string }

/** Reads where Relance is and how to log in from what it prints. */
function whatItSays(stack: ChildProcess): Promise<Said> {
  return new Promise((found, failed) => {
    const said: Partial<Said> = {}
    stack.once('exit', (code) => failed(new Error(`relance dev ended with ${code}`)))
    stack.once('error', failed)
    if (!stack.stdout) return failed(new Error('relance dev has no output'))
    createInterface(stack.stdout).on('line', (line) => {
      said.url ??= /(http:\S+)\/docs/.exec(line)?.[1]
      const login = /log in with\s+(\S+)\s+(\S+)/.exec(line)
      if (login) [, said.email, said.password] = login
      said.token ??= /Bearer (\S+)/.exec(line)?.[1]
      if (said.url && said.email && said.password && said.token) found(said as Said)
    })
  })
}

function caller({ url, token }: Said): Relance['api'] {
  return async (method, path, body) => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': typeof body === 'string' ? 'text/csv' : 'application/json',
      },
      body: typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text ? JSON.parse(text) : undefined
  }
}

const sessions = new Map<string, Awaited<ReturnType<BrowserContext['storageState']>>>()

async function openPage(
  browser: Browser,
  { url, email, password }: Said,
  options: Parameters<Relance['page']>[0] = {},
): Promise<Page> {
  const { loggedOut, ...rest } = options
  const context = await browser.newContext({
    baseURL: `${url}/app/`,
    locale: 'en-GB',
    timezoneId: 'Europe/Paris',
    viewport: { width: 1280, height: 860 },
    reducedMotion: 'reduce',
    ...(loggedOut ? {} : { storageState: sessions.get(url) }),
    ...rest,
  })
  if (!loggedOut && !sessions.has(url)) {
    const answer = await context.request.post(`${url}/auth/login`, { data: { email, password } })
    if (!answer.ok()) throw new Error(`logging in: ${answer.status()}`)
    sessions.set(url, await context.storageState())
  }
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  return page
}
