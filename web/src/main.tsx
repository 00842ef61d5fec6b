import './style/index.css'
import { QueryClientProvider } from '@tanstack/preact-query'
import { render } from 'preact'
import { parse } from 'regexparam'
import { matchRoute } from 'wouter-preact'
import { queryClient } from './api/queries'
import { Frame } from './Frame'
import { screens } from './screens'
import { LanguageOf } from './words/language'

const ROOT = '/app'

// The code and the first answers of the screen that was asked for are fetched
// while the frame is drawn.
const path = location.pathname.slice(ROOT.length) || '/'
for (const screen of screens) {
  const [matches, params] = matchRoute(parse, screen.path, path)
  if (!matches) continue
  void screen.load()
  screen.ahead?.(params)
  break
}

const app = document.getElementById('app')
if (app) {
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
