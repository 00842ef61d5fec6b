import { useEffect, useState } from 'preact/hooks'
import { Link, useLocation } from 'wouter-preact'
import { useMe } from './Frame'
import { Icon, type IconName } from './ui/icons'
import { bilingual, useLanguage, useWords } from './words/language'

const texts = bilingual(
  {
    navigation: 'Screens',
    menu: 'Menu',
    overview: 'Overview',
    campaigns: 'Campaigns',
    contacts: 'Contacts',
    categories: 'Categories',
    messages: 'Messages',
    monitoring: 'Monitoring',
    people: 'Users',
    account: 'Account',
    theme: 'Colours',
    themes: { auto: 'As the device', light: 'Light', dark: 'Dark' },
    language: 'Language',
  },
  {
    navigation: 'Écrans',
    menu: 'Menu',
    overview: 'Aperçu',
    campaigns: 'Campagnes',
    contacts: 'Contacts',
    categories: 'Catégories',
    messages: 'Messages',
    monitoring: 'Surveillance',
    people: 'Utilisateurs',
    account: 'Compte',
    theme: 'Couleurs',
    themes: { auto: "Comme l'appareil", light: 'Clair', dark: 'Sombre' },
    language: 'Langue',
  },
)

type Place = {
  to: string
  name: 'overview' | 'campaigns' | 'contacts' | 'categories' | 'messages' | 'monitoring' | 'people' | 'account'
  icon: IconName
}

const places: Place[] = [
  { to: '/', name: 'overview', icon: 'overview' },
  { to: '/campaigns', name: 'campaigns', icon: 'campaigns' },
  { to: '/contacts', name: 'contacts', icon: 'contacts' },
  { to: '/categories', name: 'categories', icon: 'categories' },
  { to: '/messages', name: 'messages', icon: 'messages' },
  { to: '/monitoring', name: 'monitoring', icon: 'monitoring' },
  { to: '/people', name: 'people', icon: 'people' },
  { to: '/account', name: 'account', icon: 'account' },
]

/** The way to every screen: at the side, or behind a button where there is no room. */
export function Navigation() {
  const t = useWords(texts)
  const [path] = useLocation()
  const [open, setOpen] = useState(false)
  const me = useMe()
  useEffect(() => setOpen(false), [path])
  const here = (to: string) => (to === '/' ? path === '/' : path.startsWith(to))
  return (
    <header class={open ? 'side open' : 'side'}>
      <Link href="/" class="brand">
        Relance
      </Link>
      <button
        type="button"
        class="button bare menu"
        aria-expanded={open}
        aria-controls="navigation"
        onClick={() => setOpen(!open)}
      >
        <Icon name={open ? 'close' : 'menu'} />
        <span class="unseen">{t.menu}</span>
      </button>
      <nav id="navigation" aria-label={t.navigation}>
        <ul>
          {places.map((place) => (
            <li key={place.to}>
              <Link href={place.to} aria-current={here(place.to) ? 'page' : undefined}>
                <Icon name={place.icon} />
                {t[place.name]}
              </Link>
            </li>
          ))}
        </ul>
        <div class="choices">
          <Language />
          <Theme />
          <p class="muted who">{me?.email ?? '\u00a0'}</p>
        </div>
      </nav>
    </header>
  )
}

export function Language() {
  const t = useWords(texts)
  const { language, choose } = useLanguage()
  return (
    <select
      aria-label={t.language}
      value={language}
      onChange={(event) => choose(event.currentTarget.value === 'fr' ? 'fr' : 'en')}
    >
      <option value="en">English</option>
      <option value="fr">Français</option>
    </select>
  )
}

type ThemeName = 'auto' | 'light' | 'dark'

const chosenTheme = () => (localStorage.getItem('theme') as ThemeName | null) ?? 'auto'
/** Hears that another theme was chosen: the choice stands in two places. */
const themes = new EventTarget()

export function Theme() {
  const t = useWords(texts)
  const [theme, setTheme] = useState<ThemeName>(chosenTheme)
  useEffect(() => {
    const follow = () => setTheme(chosenTheme())
    themes.addEventListener('chosen', follow)
    return () => themes.removeEventListener('chosen', follow)
  }, [])
  const choose = (chosen: ThemeName) => {
    if (chosen === 'auto') {
      localStorage.removeItem('theme')
      delete document.documentElement.dataset.theme
    } else {
      localStorage.setItem('theme', chosen)
      document.documentElement.dataset.theme = chosen
    }
    themes.dispatchEvent(new Event('chosen'))
  }
  return (
    <select aria-label={t.theme} value={theme} onChange={(event) => choose(event.currentTarget.value as ThemeName)}>
      {(['auto', 'light', 'dark'] as const).map((name) => (
        <option key={name} value={name}>
          {t.themes[name]}
        </option>
      ))}
    </select>
  )
}
