import { useInfiniteQuery } from '@tanstack/preact-query'
import { pages } from '../api/queries'
import { useMe } from '../Frame'
import { Skeleton, Title } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { Audit } from './Audit'
import { OwnTokens } from './OwnTokens'
import { Users } from './Users'
import '../style/people.css'

const texts = bilingual({ title: 'Users and tokens' }, { title: 'Utilisateurs et jetons' })

/** Who and what may come in, and what they did. */
export default function People() {
  const t = useWords(texts)
  const me = useMe()
  const manages = me?.role === 'super_admin'
  const tokens = useInfiniteQuery(pages('/tokens'))
  const users = useInfiniteQuery({ ...pages('/users', { params: { query: { limit: 200 } } }), enabled: manages })
  // All at once, so that no section pushes the others down when it comes.
  const known = me && !tokens.isPending && !(manages && users.isPending)
  return (
    <div class="stack people" data-ready={known ? true : undefined}>
      <Title>{t.title}</Title>
      {known ? (
        <>
          <OwnTokens />
          {manages && <Users me={me} />}
          <Audit me={me} />
        </>
      ) : (
        <Skeleton lines={3} height={220} />
      )}
    </div>
  )
}
