import type { ComponentType } from 'preact'
import { one, pages, queryClient } from './api/queries'

type Params = Record<string, string | undefined>

export type ScreenProps = {
  params: Params
  /** of the login screen: somebody has logged in */
  enter?: () => void
}

/** A screen: where it is, its code, and what it will ask the API for first. */
export type Screen = {
  path: string
  /** whose styles are its own: style/<area>.css, within .in-<area> */
  area: string
  load: () => Promise<{ default: ComponentType<ScreenProps> }>
  /** asks at once, while the code is still on its way; ends with the answers */
  ahead?: (params: Params) => Promise<unknown>
}

/** The code of the screens that have been fetched. */
export const fetched = new Map<Screen, ComponentType<ScreenProps>>()

export async function fetchCode(screen: Screen) {
  fetched.set(screen, (await screen.load()).default)
}

const fetchOne: typeof queryClient.prefetchQuery = (options) => queryClient.prefetchQuery(options)

/** What tells whether anything needs a person. */
function situation() {
  return Promise.all([
    fetchOne(one('/monitoring')),
    fetchOne(one('/imports', { params: { query: { limit: 20 } } })),
    queryClient.prefetchInfiniteQuery(pages('/campaigns')),
  ])
}

/** Every screen of the dashboard, below /app. */
export const screens: Screen[] = [
  {
    path: '/',
    area: 'overview',
    load: () => import('./overview/Overview'),
    ahead: () => Promise.all([situation(), fetchOne(one('/messages/stats'))]),
  },
  {
    path: '/campaigns',
    area: 'campaigns',
    load: () => import('./campaigns/Campaigns'),
    ahead: () => queryClient.prefetchInfiniteQuery(pages('/campaigns')),
  },
  {
    path: '/campaigns/new',
    area: 'launch',
    load: () => import('./launch/NewCampaign'),
    ahead: () => queryClient.prefetchInfiniteQuery(pages('/categories', { params: { query: { limit: 200 } } })),
  },
  {
    path: '/campaigns/:id',
    area: 'campaigns',
    load: () => import('./campaigns/Campaign'),
    ahead: ({ id = '' }) => {
      const of = { params: { path: { id } } }
      return Promise.all([
        fetchOne(one('/campaigns/{id}', of)),
        fetchOne(one('/campaigns/{id}/stats', of)),
        fetchOne(one('/campaigns/{id}/course', of)),
      ])
    },
  },
  {
    path: '/campaigns/:id/edit',
    area: 'launch',
    load: () => import('./launch/NewCampaign'),
    ahead: ({ id = '' }) => fetchOne(one('/campaigns/{id}', { params: { path: { id } } })),
  },
  {
    path: '/contacts',
    area: 'contacts',
    load: () => import('./contacts/Contacts'),
    ahead: () => queryClient.prefetchInfiniteQuery(pages('/categories', { params: { query: { limit: 200 } } })),
  },
  { path: '/contacts/import', area: 'contacts', load: () => import('./contacts/Import') },
  { path: '/contacts/imports/:id', area: 'contacts', load: () => import('./contacts/ImportProgress') },
  { path: '/contacts/:id', area: 'contacts', load: () => import('./contacts/Contact') },
  {
    path: '/categories',
    area: 'categories',
    load: () => import('./categories/Categories'),
    ahead: () => queryClient.prefetchInfiniteQuery(pages('/categories', { params: { query: { limit: 200 } } })),
  },
  { path: '/messages', area: 'messages', load: () => import('./messages/Messages') },
  {
    path: '/monitoring',
    area: 'monitoring',
    load: () => import('./monitoring/Monitoring'),
    ahead: situation,
  },
  {
    path: '/people',
    area: 'people',
    load: () => import('./people/People'),
    ahead: () => Promise.all([fetchOne(one('/auth/me')), queryClient.prefetchInfiniteQuery(pages('/tokens'))]),
  },
  {
    path: '/account',
    area: 'people',
    load: () => import('./people/Account'),
    ahead: () => Promise.all([fetchOne(one('/auth/me')), fetchOne(one('/auth/sessions'))]),
  },
]
