import { useMemo } from 'preact/hooks'
import { bilingual, useLanguage, useWords } from '../words/language'
import { countriesIn, rememberCountry } from './countries'

const texts = bilingual(
  { none: 'None: every number has its code' },
  { none: 'Aucun\u00a0: chaque numéro a son indicatif' },
)

/** The choice of the country of phone numbers without a country code. */
export function Country(props: { value: string; choose: (code: string) => void; id?: string }) {
  const t = useWords(texts)
  const { language } = useLanguage()
  const countries = useMemo(() => countriesIn(language), [language])
  return (
    <select
      id={props.id}
      value={props.value}
      onChange={(event) => {
        rememberCountry(event.currentTarget.value)
        props.choose(event.currentTarget.value)
      }}
    >
      <option value="">{t.none}</option>
      {countries.map(({ code, name }) => (
        <option key={code} value={code}>
          {name}
        </option>
      ))}
    </select>
  )
}
