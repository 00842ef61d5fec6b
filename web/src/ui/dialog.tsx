import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { bilingual, useWords } from '../words/language'
import { Icon, type IconName } from './icons'
import { useReason } from './parts'

const texts = bilingual({ close: 'Close', cancel: 'Go back' }, { close: 'Fermer', cancel: 'Retour' })

/** A dialog above the screen; Escape and the close button end it. */
export function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const t = useWords(texts)
  const element = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => element.current?.showModal(), [])
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
    >
      <header>
        <h2 id={heading}>{title}</h2>
        <button type="button" class="button bare" aria-label={t.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  )
}

/**
 * A button for what cannot be undone: it asks once, says what will happen, and
 * tells when it did not.
 */
export function Confirmed(props: {
  label: string
  icon?: IconName
  title: string
  /** what will happen */
  children: ComponentChildren
  confirm: string
  /** may fail; the dialog then says why and stays */
  run: () => Promise<unknown>
  harmless?: boolean
  bare?: boolean
}) {
  const t = useWords(texts)
  const reason = useReason()
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  // While it is being done, what was asked stays as it was asked: the screen around
  // may show already what has come of it.
  const asked = useRef(props)
  if (!busy) asked.current = props
  const { title, children, confirm } = asked.current
  const run = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await props.run()
      setOpen(false)
    } catch (refusal) {
      setError(refusal)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <button
        type="button"
        class={props.bare ? 'button bare' : 'button'}
        aria-label={props.bare ? props.label : undefined}
        onClick={() => setOpen(true)}
      >
        {props.icon && <Icon name={props.icon} />}
        {!props.bare && props.label}
      </button>
      {open && (
        <Dialog title={title} close={() => setOpen(false)}>
          <div class="stack">{children}</div>
          {error !== undefined && (
            <p class="error" role="alert">
              {reason(error)}
            </p>
          )}
          <footer>
            <button type="button" class="button" onClick={() => setOpen(false)}>
              {t.cancel}
            </button>
            <button
              type="button"
              class={props.harmless ? 'button main' : 'button danger'}
              disabled={busy}
              onClick={run}
            >
              {confirm}
            </button>
          </footer>
        </Dialog>
      )}
    </>
  )
}
