import { useRef, useState } from 'preact/hooks'
import { ask } from '../api/client'
import { forget } from '../api/queries'
import { Dialog } from '../ui/dialog'
import { Field, fieldError } from '../ui/field'
import { Icon } from '../ui/icons'
import { useReason } from '../ui/parts'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    title: 'Make a token',
    name: 'What it is for',
    hint: 'For example: Shop. So that you know later what is cut off when you revoke it.',
    needed: 'Say what it is for, in at most 100 characters.',
    make: 'Make the token',
    made: 'Your new token',
    once: 'Copy it now: it is shown only this once. Whoever has it can do everything that you can.',
    token: 'Token',
    copy: 'Copy',
    copied: 'Copied',
    selected: 'Press Ctrl+C',
    how: 'The program sends it with every request:',
    docs: 'How the API works',
    done: 'Done',
  },
  {
    title: 'Créer un jeton',
    name: 'Usage',
    hint: 'Par exemple\u00a0: Boutique. Vous saurez ainsi plus tard ce que vous coupez en le révoquant.',
    needed: 'Dites à quoi il sert, en 100 caractères au plus.',
    make: 'Créer le jeton',
    made: 'Votre nouveau jeton',
    once: 'Copiez-le maintenant\u00a0: il n’est affiché que cette fois. Qui le possède peut faire tout ce que vous pouvez faire.',
    token: 'Jeton',
    copy: 'Copier',
    copied: 'Copié',
    selected: 'Appuyez sur Ctrl+C',
    how: 'Le programme l’envoie avec chaque requête\u00a0:',
    docs: 'Comment fonctionne l’API',
    done: 'Terminé',
  },
)

/** Asks what a token is for, makes it, and shows it this once. */
export function NewToken({ close }: { close: () => void }) {
  const t = useWords(texts)
  const [token, setToken] = useState<string>()
  return (
    <Dialog title={token ? t.made : t.title} close={close}>
      {token ? <Made token={token} close={close} /> : <Purpose made={setToken} />}
    </Dialog>
  )
}

function Purpose({ made }: { made: (token: string) => void }) {
  const t = useWords(texts)
  const reason = useReason()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const make = async (event: SubmitEvent) => {
    event.preventDefault()
    const name = String(new FormData(event.currentTarget as HTMLFormElement).get('name'))
    setBusy(true)
    setError(undefined)
    try {
      const { token } = await ask('post', '/tokens', { body: { name } })
      made(token)
      await forget('/tokens', '/audit')
    } catch (refusal) {
      setError(refusal)
      setBusy(false)
    }
  }
  const unfit = fieldError(error, 'name') && t.needed
  return (
    <form class="stack" onSubmit={make}>
      <Field label={t.name} hint={t.hint} error={unfit}>
        {(attributes) => <input {...attributes} name="name" autocomplete="off" maxLength={100} required autofocus />}
      </Field>
      {error !== undefined && !unfit && (
        <p class="error" role="alert">
          {reason(error)}
        </p>
      )}
      <footer>
        <button type="submit" class="button main" disabled={busy}>
          {t.make}
        </button>
      </footer>
    </form>
  )
}

function Made({ token, close }: { token: string; close: () => void }) {
  const t = useWords(texts)
  const shown = useRef<HTMLInputElement>(null)
  const [copied, setCopied] = useState<'copied' | 'selected'>()
  const copy = async () => {
    shown.current?.select()
    try {
      await navigator.clipboard.writeText(token)
      setCopied('copied')
    } catch {
      // Browsers give the clipboard to pages over TLS only; what is selected can be copied by hand.
      setCopied('selected')
    }
  }
  return (
    <div class="stack">
      <div class="notice warn" role="alert">
        <Icon name="warning" />
        <p>{t.once}</p>
      </div>
      <div class="secret">
        <input
          ref={shown}
          class="code"
          aria-label={t.token}
          value={token}
          readOnly
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="button main" onClick={copy}>
          <Icon name={copied === 'copied' ? 'check' : 'copy'} />
          <span aria-live="polite">{t[copied ?? 'copy']}</span>
        </button>
      </div>
      <p class="muted">
        {t.how} <code>Authorization: Bearer …</code>
      </p>
      <p>
        <a href="/docs" target="_blank" rel="noreferrer">
          {t.docs}
        </a>
      </p>
      <footer>
        <button type="button" class="button" onClick={close}>
          {t.done}
        </button>
      </footer>
    </div>
  )
}
