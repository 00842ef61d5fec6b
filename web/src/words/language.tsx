import { type ComponentChildren, createContext } from 'preact'
import { useContext, useState } from 'preact/hooks'

export type Language = 'en' | 'fr'

/** What a screen says, in both languages: the second has every text that the first has. */
export function bilingual<T extends object>(en: T, fr: T): Record<Language, T> {
  return { en, fr }
}

const Current = createContext<{ language: Language; choose: (language: Language) => void }>({
  language: 'en',
  choose: () => {},
})

/** The browser's language unless another was chosen here; see public/before.js. */
export function LanguageOf({ children }: { children: ComponentChildren }) {
  const [language, setLanguage] = useState<Language>(document.documentElement.lang === 'fr' ? 'fr' : 'en')
  const choose = (chosen: Language) => {
    localStorage.setItem('language', chosen)
    document.documentElement.lang = chosen
    setLanguage(chosen)
  }
  return <Current.Provider value={{ language, choose }}>{children}</Current.Provider>
}

export const useLanguage = () => useContext(Current)

/** The texts in the reader's language. */
export function useWords<T>(texts: Record<Language, T>): T {
  return texts[useLanguage().language]
}
