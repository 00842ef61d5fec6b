import { useInfiniteQuery } from '@tanstack/preact-query'
import { joinPages } from '../api/changes'
import { ask } from '../api/client'
import { forget, pages } from '../api/queries'
import { Confirmed } from '../ui/dialog'
import { Empty, Failure, Moment, More, Skeleton } from '../ui/parts'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    name: 'What it is for',
    made: 'Made',
    used: 'Last used',
    never: 'Never',
    revoke: 'Revoke',
    revokeTitle: (name: string) => `Revoke “${name}”?`,
    revokeWhat: 'Whatever uses this token is refused from now on. It cannot be made valid again.',
    revokeConfirm: 'Revoke the token',
    actions: 'What can be done',
  },
  {
    name: 'Usage',
    made: 'Créé',
    used: 'Dernière utilisation',
    never: 'Jamais',
    revoke: 'Révoquer',
    revokeTitle: (name: string) => `Révoquer «\u00a0${name}\u00a0»\u00a0?`,
    revokeWhat: 'Tout ce qui utilise ce jeton est refusé dès maintenant. Il ne pourra pas redevenir valable.',
    revokeConfirm: 'Révoquer le jeton',
    actions: 'Ce qu’on peut faire',
  },
)

/** The tokens of a user, by default one's own. */
export function TokenList({ userID, none, noneMore }: { userID?: string; none: string; noneMore?: string }) {
  const t = useWords(texts)
  const query = userID ? { user_id: userID } : undefined
  const list = useInfiniteQuery({ ...pages('/tokens', query && { params: { query } }), staleTime: 5_000 })
  const { items } = joinPages(list.data?.pages)
  const revoke = async (id: string) => {
    await ask('delete', '/tokens/{id}', { params: { path: { id }, query } })
    await forget('/tokens', '/audit')
  }
  if (list.isPending) return <Skeleton lines={2} height={44} />
  if (list.error && !list.data) return <Failure error={list.error} again={list.refetch} />
  if (items.length === 0) return noneMore ? <Empty title={none}>{noneMore}</Empty> : <p class="muted">{none}</p>
  return (
    <>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">{t.name}</th>
            <th scope="col">{t.made}</th>
            <th scope="col">{t.used}</th>
            <th scope="col">
              <span class="unseen">{t.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((token) => (
            <tr key={token.id}>
              <td class="strong named">{token.name}</td>
              <td data-name={t.made}>
                <Moment at={token.created_at} />
              </td>
              <td data-name={t.used}>
                {token.last_used_at ? <Moment at={token.last_used_at} /> : <span class="muted">{t.never}</span>}
              </td>
              <td class="right">
                <Confirmed
                  label={t.revoke}
                  title={t.revokeTitle(token.name)}
                  confirm={t.revokeConfirm}
                  run={() => revoke(token.id)}
                >
                  <p>{t.revokeWhat}</p>
                </Confirmed>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <More list={list} />
    </>
  )
}
