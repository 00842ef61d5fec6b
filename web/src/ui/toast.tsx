import { useEffect, useState } from 'preact/hooks'
import { bilingual, useWords } from '../words/language'
import { Icon } from './icons'

const texts = bilingual({ close: 'Close' }, { close: 'Fermer' })

type Toast = { id: number; text: string; bad: boolean }

const told = new EventTarget()
let last = 0

/** Tells the reader something that has no place of its own on the screen. */
export function tell(text: string, bad = false) {
  last += 1
  told.dispatchEvent(new CustomEvent<Toast>('toast', { detail: { id: last, text, bad } }))
}

/** Where it is told. What is bad stays until it is closed. */
export function Toasts() {
  const t = useWords(texts)
  const [toasts, setToasts] = useState<Toast[]>([])
  const close = (id: number) => setToasts((now) => now.filter((toast) => toast.id !== id))
  useEffect(() => {
    const add = (event: Event) => {
      const toast = (event as CustomEvent<Toast>).detail
      setToasts((now) => [...now, toast])
      if (!toast.bad) setTimeout(() => close(toast.id), 6_000)
    }
    told.addEventListener('toast', add)
    return () => told.removeEventListener('toast', add)
  }, [])
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map((toast) => (
        <div key={toast.id} class={toast.bad ? 'toast bad' : 'toast'}>
          <Icon name={toast.bad ? 'warning' : 'check'} />
          <p>{toast.text}</p>
          <button type="button" class="button bare" aria-label={t.close} onClick={() => close(toast.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  )
}
