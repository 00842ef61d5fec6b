import { useQuery } from '@tanstack/preact-query'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Route, Router, Switch, useLocation } from 'wouter-preact'
import { signedOut } from './api/client'
import { one, queryClient } from './api/queries'
import { Navigation } from './Navigation'
import { fetchCode, fetched, type Screen, type ScreenProps, screens } from './screens'
import { Empty, Failure, GoTo, Skeleton, Title } from './ui/parts'
import { Toasts } from './ui/toast'
import { bilingual, useWords } from './words/language'

const texts = bilingual(
  { skip: 'Skip to the content', nothing: 'There is nothing here', back: 'To the overview' },
  { skip: 'Aller au contenu', nothing: "Il n'y a rien ici", back: "Vers l'aperçu" },
)

const loginScreen: Screen = { path: '/login', area: 'people', load: () => import('./people/Login') }

/** Everything that is around a screen, and the choice of the screen. */
export function Frame({ root }: { root: string }) {
  const t = useWords(texts)
  const [out, setOut] = useState(false)
  useEffect(() => {
    const leave = () => setOut(true)
    signedOut.addEventListener('signedout', leave)
    return () => signedOut.removeEventListener('signedout', leave)
  }, [])
  const enter = () => {
    queryClient.clear()
    setOut(false)
  }
  if (out) return <Loaded screen={loginScreen} params={{}} enter={enter} />
  return (
    <Router base={root}>
      <a class="skip" href="#screen">
        {t.skip}
      </a>
      <div class="frame">
        <Navigation />
        <Switch>
          {screens.map((screen) => (
            <Route key={screen.path} path={screen.path}>
              {(params) => (
                <main class={`screen in-${screen.area}`} id="screen" tabIndex={-1} key={JSON.stringify(params)}>
                  <Loaded screen={screen} params={params} />
                </main>
              )}
            </Route>
          ))}
          <Route>
            <main class="screen" id="screen" tabIndex={-1}>
              <Title>{t.nothing}</Title>
              <Empty title={t.nothing} action={<GoTo to="/">{t.back}</GoTo>} />
            </main>
          </Route>
        </Switch>
      </div>
      <ToTheTop />
      <Toasts />
    </Router>
  )
}

/** A screen, as soon as its code is there. */
function Loaded({ screen, ...props }: { screen: Screen } & ScreenProps) {
  const [, setTries] = useState(0)
  const [error, setError] = useState<unknown>()
  const Component = fetched.get(screen)
  const load = () => {
    setError(undefined)
    fetchCode(screen)
      .then(() => setTries((n) => n + 1))
      .catch(setError)
  }
  useEffect(() => {
    if (!Component) load()
  }, [screen])
  if (Component) return <Component {...props} />
  if (error !== undefined) return <Failure error={error} again={load} />
  return <Skeleton lines={4} height={80} />
}

/** A new screen begins at its top, for the eyes and for screen readers. */
function ToTheTop() {
  const [path] = useLocation()
  const before = useRef(path)
  useEffect(() => {
    if (before.current === path) return
    before.current = path
    window.scrollTo(0, 0)
    document.getElementById('screen')?.focus({ preventScroll: true })
  }, [path])
  return null
}

/** Who is logged in; undefined until that is known. */
export const useMe = () => useQuery(one('/auth/me')).data
