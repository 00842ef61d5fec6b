import './style/index.css'
import { QueryClientProvider } from '@tanstack/preact-query'
import { render } from 'preact'
import { parse } from 'regexparam'
import { matchRoute } from 'wouter-preact'
import { queryClient } from './api/queries'
import { Frame } from './Frame'
import { fetchCode, screens } from './screens'
import { LanguageOf } from './words/language'

const ROOT = '/app'

/** How long the frame of index.html may stand while the first screen's code and answers come. */
const PATIENCE = 100

/** Fetches what the screen that was asked for needs: its code and its first answers. */
async function prepare(path: string) {
  for (const screen of screens) {
    const [matches, params] = matchRoute(parse, screen.path, path)
    if (matches) return Promise.allSettled([fetchCode(screen), screen.ahead?.(params)])
  }
}

function draw() {
  const app = document.getElementById('app')
  if (!app) return
  app.textContent = ''
  render(
    <QueryClientProvider client={queryClient}>
      <LanguageOf>
        <Frame root={ROOT} />
      </LanguageOf>
    </QueryClientProvider>,
    app,
  )
}

const prepared = prepare(location.pathname.slice(ROOT.length) || '/')
const patience = new Promise((done) => setTimeout(done, PATIENCE))
// The frame that index.html draws is on the screen before the program takes over: a
// first paint. A page that nobody sees paints nothing.
const painted = new Promise((done) => (document.hidden ? done(0) : requestAnimationFrame(() => setTimeout(done))))
void Promise.all([painted, Promise.race([prepared, patience])]).then(draw)
