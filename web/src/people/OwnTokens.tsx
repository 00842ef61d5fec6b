import { useState } from 'preact/hooks'
import { Icon } from '../ui/icons'
import { bilingual, useWords } from '../words/language'
import { NewToken } from './NewToken'
import { TokenList } from './TokenList'

const texts = bilingual(
  {
    title: 'Your API tokens',
    what: 'A token lets a program, such as a shop, use the API in your name. It is not ended by a logout or a new password.',
    make: 'Make a token',
    none: 'You have no token',
    noneMore: 'Make one when a program has to start campaigns or write contacts for you.',
  },
  {
    title: 'Vos jetons d’API',
    what: 'Un jeton permet à un programme, une boutique par exemple, d’utiliser l’API en votre nom. Ni une déconnexion ni un nouveau mot de passe n’y mettent fin.',
    make: 'Créer un jeton',
    none: 'Vous n’avez aucun jeton',
    noneMore: 'Créez-en un quand un programme doit lancer des campagnes ou écrire des contacts pour vous.',
  },
)

export function OwnTokens() {
  const t = useWords(texts)
  const [making, setMaking] = useState(false)
  return (
    <section class="card" aria-label={t.title}>
      <header class="section-head">
        <h2>{t.title}</h2>
        <button type="button" class="button" onClick={() => setMaking(true)}>
          <Icon name="plus" />
          {t.make}
        </button>
      </header>
      <p class="muted">{t.what}</p>
      <TokenList none={t.none} noneMore={t.noneMore} />
      {making && <NewToken close={() => setMaking(false)} />}
    </section>
  )
}
