import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import { Problem } from '../api/client'

/** What the server says is wrong with a field of the request body. */
export function fieldError(error: unknown, name: string): string | undefined {
  return error instanceof Problem ? error.fields[`body.${name}`] : undefined
}

/** A labelled control with its hint and its error, tied together for screen readers. */
export function Field(props: {
  label: string
  hint?: ComponentChildren
  error?: string
  children: (attributes: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }) => ComponentChildren
}) {
  const id = useId()
  const described = props.error || props.hint ? `${id}-more` : undefined
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.children({ id, 'aria-describedby': described, 'aria-invalid': props.error ? true : undefined })}
      {described && (
        <p id={described} class={props.error ? 'error' : 'hint'}>
          {props.error ?? props.hint}
        </p>
      )}
    </div>
  )
}
