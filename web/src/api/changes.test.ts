import {
  InfiniteQueryObserver,
  MutationObserver as MutationOf,
  notifyManager,
  QueryClient,
} from '@tanstack/preact-query'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { type Contact, contacts } from '../contacts/kind'
import {
  applyChanges,
  type Change,
  changing,
  isTemporary,
  joinPages,
  type Request,
  temporaryID,
  underWay,
} from './changes'
import type { Page } from './queries'

// Everybody hears of an event at once, so that no state in between is passed over.
beforeAll(() => notifyManager.setScheduler((tell) => tell()))

/** A request or a fetch on its way to the server, handled there, and on its way back. */
type Asked<Answer> = { answer?: Answer; back: (answer: Answer) => void }
type Verdict = { created?: Contact } | { refused: true }

const CATEGORY = 'c1'
const filters: Record<string, string>[] = [{}, { category_id: CATEGORY }]

/** A browser with both lists on its screen, and a server that is slow and may refuse. */
class World {
  private readonly server: Contact[] = []
  private readonly client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 120_000 } } })
  private readonly requests: (Asked<Verdict> & { change: Change<Contact> })[] = []
  private readonly fetches: (Asked<Page<Contact>> & { filter: Record<string, string> })[] = []
  /** what the browser knows that the server has, from its answers alone */
  private answered: Contact[]
  /** who ought to be shown in each list, now and before the last step */
  private expected: string[][] = filters.map(() => [])
  private before: string[][] = []
  private ids = 0
  private readonly ends: (() => void)[] = []
  private wrong: unknown

  constructor(known: { number: number; member: boolean }[]) {
    for (const { number, member } of known) this.server.push(this.store(number, member))
    for (const filter of filters) {
      const observer = new InfiniteQueryObserver(this.client, {
        queryKey: ['/contacts', Object.keys(filter).length ? { query: filter } : {}],
        initialPageParam: '',
        getNextPageParam: () => undefined,
        queryFn: ({ signal }) =>
          new Promise<Page<Contact>>((back) => {
            void signal
            this.fetches.push({ filter, back })
          }),
      })
      this.ends.push(observer.subscribe(() => {}))
    }
    this.answered = [...this.server]
    this.foresee()
    const heard = () => {
      try {
        this.check()
      } catch (wrong) {
        this.wrong ??= wrong // thrown from here, it would end in the cache's own hands
      }
    }
    this.ends.push(this.client.getQueryCache().subscribe(heard), this.client.getMutationCache().subscribe(heard))
  }

  private store(number: number, member: boolean): Contact {
    this.ids += 1
    const at = '2026-01-01T00:00:00Z'
    return {
      id: `id${this.ids}`,
      phone: `+336399${String(number).padStart(5, '0')}`,
      name: `Contact ${number}`,
      attributes: {},
      category_ids: member ? [CATEGORY] : [],
      opted_out_at: null,
      created_at: at,
      updated_at: at,
    }
  }

  private list(filter: Record<string, string>) {
    const key = ['/contacts', Object.keys(filter).length ? { query: filter } : {}]
    const data = this.client.getQueryData<{ pages: Page<Contact>[] }>(key)
    const { filters: pending, select } = underWay<Contact>(contacts)
    const changes = this.client.getMutationCache().findAll(pending).map(select)
    return data && applyChanges(joinPages(data.pages), changes, contacts, filter)
  }

  /** Whom the server has, and what is under way: what was begun and not refused. */
  private foresee() {
    const people = this.requests.reduce((now, { change }) => {
      if (change.kind === 'delete') return now.filter((contact) => contact.id !== change.id)
      return [change.item].concat(now)
    }, this.answered)
    const now = filters.map((filter) => shown(people.filter((contact) => contacts.belongs(contact, filter))))
    this.before = this.expected
    this.expected = now
  }

  /** Property 3, at any moment whatever. */
  private check() {
    filters.forEach((filter, i) => {
      const list = this.list(filter)
      if (!list) return // not loaded yet
      expect([this.before[i], this.expected[i]]).toContainEqual(shown(list.items))
      expect(list.total).toBe(list.items.length)
    })
  }

  private begin(change: Change<Contact>) {
    const asked: (typeof this.requests)[number] = { change, back: () => {} }
    const request: Request<Contact> = () =>
      new Promise((resolve, reject) => {
        asked.back = (verdict) => ('refused' in verdict ? reject(new Error('refused')) : resolve(verdict.created))
      })
    this.requests.push(asked)
    this.foresee()
    new MutationOf(this.client, changing(contacts, request)).mutate(change).catch(() => {})
  }

  async step(step: Step) {
    const pick = <T>(from: T[]) => from[step.nth % Math.max(1, from.length)]
    if (step.kind === 'create') {
      this.ids += 1
      const contact = this.store(10_000 + this.ids, step.yes)
      const phone = step.nth % 2 ? contact.phone.replace('+33', '0').replace(/(..)/g, '$1 ') : contact.phone
      this.begin({ kind: 'create', item: { ...contact, id: temporaryID(), phone } })
    } else if (step.kind === 'delete') {
      const listed = this.list({})?.items.filter((contact) => !isTemporary(contact.id)) ?? []
      const chosen = pick(listed)
      if (chosen) this.begin({ kind: 'delete', id: chosen.id })
    } else if (step.kind === 'refetch') {
      void this.client.invalidateQueries({ queryKey: ['/contacts'] })
    } else if (step.kind === 'handle') {
      const asked = pick(this.requests.filter((request) => !request.answer))
      if (asked) asked.answer = this.handle(asked.change, step.yes)
    } else if (step.kind === 'answer') {
      const asked = pick(this.requests.filter((request) => request.answer))
      if (asked?.answer) {
        this.requests.splice(this.requests.indexOf(asked), 1)
        this.remember(asked.change, asked.answer)
        this.foresee()
        asked.back(asked.answer)
      }
    } else if (step.kind === 'look') {
      const asked = pick(this.fetches.filter((fetch) => !fetch.answer))
      if (asked) {
        const items = this.server.filter((contact) => contacts.belongs(contact, asked.filter))
        asked.answer = { items, next_cursor: null, total: items.length }
      }
    } else {
      const asked = pick(this.fetches.filter((fetch) => fetch.answer))
      if (asked?.answer) {
        this.fetches.splice(this.fetches.indexOf(asked), 1)
        asked.back(asked.answer)
      }
    }
    await quiet()
    if (this.wrong !== undefined) throw this.wrong
    this.foresee()
    this.check()
    this.before = this.expected
    this.check()
  }

  private handle(change: Change<Contact>, willing: boolean): Verdict {
    if (!willing) return { refused: true }
    if (change.kind === 'create') {
      this.ids += 1
      const phone = change.item.phone.replaceAll(' ', '').replace(/^0/, '+33')
      const created = { ...change.item, id: `id${this.ids}`, phone }
      this.server.unshift(created)
      return { created }
    }
    const at = this.server.findIndex((contact) => contact.id === change.id)
    if (at < 0) return { refused: true }
    this.server.splice(at, 1)
    return {}
  }

  private remember(change: Change<Contact>, verdict: Verdict) {
    if ('refused' in verdict) return
    if (verdict.created) this.answered = [verdict.created, ...this.answered]
    else this.answered = this.answered.filter((contact) => change.kind !== 'delete' || contact.id !== change.id)
  }

  /** Everything that is on its way arrives; nobody asks for more. */
  async end() {
    for (const kind of ['handle', 'answer', 'look', 'arrive'] as const)
      for (let left = 100; left > 0 && (this.requests.length || this.fetches.length); left -= 1)
        await this.step({ kind, nth: 0, yes: true })
    for (const filter of filters) {
      const server = this.server.filter((contact) => contacts.belongs(contact, filter))
      expect(this.list(filter)).toEqual({ items: server, total: server.length })
    }
    for (const end of this.ends) end()
    this.client.clear()
  }
}

/** Who is shown, in any order, and whose creation is still under way. */
const shown = (people: Contact[]) =>
  people.map(({ id, name }) => (isTemporary(id) ? `${name}, not yet confirmed` : name)).sort()

const quiet = () => new Promise((done) => setImmediate(done))

type Step = {
  kind: 'create' | 'delete' | 'handle' | 'answer' | 'refetch' | 'look' | 'arrive'
  nth: number
  yes: boolean
}
const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom('create', 'delete', 'handle', 'answer', 'refetch', 'look', 'arrive'),
    nth: fc.nat(20),
    yes: fc.boolean(),
  }),
  { maxLength: 60 },
)
const known = fc.uniqueArray(fc.record({ number: fc.nat(9_999), member: fc.boolean() }), {
  maxLength: 8,
  selector: ({ number }) => number,
})

test('Property 3: whatever is begun, granted or refused in any order, lists show what the server has and what is under way', async () => {
  await fc.assert(
    fc.asyncProperty(known, steps, async (people, story) => {
      const world = new World(people)
      for (const step of story) await world.step(step)
      await world.end()
    }),
    { numRuns: 500 },
  )
}, 120_000)

test('Property 3: what is created comes to its place and what is deleted goes, however many pages there are', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(99), { minLength: 1 }), fc.nat(99), fc.option(fc.nat(5)), (names, name, cut) => {
      const sorted = [...names].sort((a, b) => a - b).map((n) => ({ id: `id${n}`, n }))
      const pages = [sorted.slice(0, cut ?? 99), sorted.slice(cut ?? 99)].map((items) => ({
        items,
        next_cursor: null,
        total: sorted.length,
      }))
      const numbers = {
        path: '/numbers',
        besides: [],
        same: (a: { n: number }, b: { n: number }) => a.n === b.n,
        belongs: () => true,
        before: (a: { n: number }, b: { n: number }) => a.n < b.n,
      }
      const created = { id: temporaryID(), n: name }
      const now = applyChanges(joinPages(pages), [{ kind: 'create', item: created }], numbers)
      expect(now.items.map(({ n }) => n)).toEqual([...new Set([...names, name])].sort((a, b) => a - b))
      expect(now.total).toBe(now.items.length)
      const gone = applyChanges(now, [{ kind: 'delete', id: created.id }], numbers)
      expect(gone.items).toEqual(sorted.filter(({ n }) => n !== name))
      expect(gone.total).toBe(gone.items.length)
    }),
  )
})
