import { useEffect, useRef } from 'preact/hooks'
import { Field } from '../ui/field'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { LONGEST_TEXT, textLength, textProblem } from './rendering'

const texts = bilingual(
  {
    insert: 'Insert:',
    fallback: 'friend',
    hint: '{{name|friend}} says “friend” where the name is missing. *bold*, _italic_, ~struck~.',
    media: 'Picture, video or document (optional)',
    address: 'https://…',
    mediaHint: 'The address of a file that anybody can open; the text goes below it.',
    problem: {
      empty: 'Must not be empty.',
      long: `WhatsApp takes at most ${LONGEST_TEXT} characters.`,
      placeholder: 'Between the braces there is no name of a variable. Write {{name}} or {{name|friend}}.',
      braces: 'Braces do not close. Write {{name}} or {{name|friend}}.',
    },
    length: (n: string) => `${n} / ${LONGEST_TEXT}`,
  },
  {
    insert: 'Insérer\u00a0:',
    fallback: 'vous',
    hint: '{{name|vous}} dit «\u00a0vous\u00a0» si le nom manque. *gras*, _italique_, ~barré~.',
    media: 'Image, vidéo ou document (facultatif)',
    address: 'https://…',
    mediaHint: "L'adresse d'un fichier que tout le monde peut ouvrir\u00a0; le texte s'affiche dessous.",
    problem: {
      empty: 'Ne doit pas être vide.',
      long: `WhatsApp accepte au plus ${LONGEST_TEXT} caractères.`,
      placeholder: 'Les accolades ne contiennent aucun nom de variable. Écrivez {{name}} ou {{name|vous}}.',
      braces: 'Des accolades ne se ferment pas. Écrivez {{name}} ou {{name|vous}}.',
    },
    length: (n: string) => `${n} / ${LONGEST_TEXT}`,
  },
)

/** One of the two messages, with variables to be inserted by a click. */
export function MessageEditor(props: {
  title: string
  about: string
  text: string
  media: string
  variables: string[]
  write: (text: string) => void
  attach: (media: string) => void
  /** what the server refused */
  refused?: string
  mediaRefused?: string
}) {
  const t = useWords(texts)
  const format = useFormat()
  const area = useRef<HTMLTextAreaElement>(null)
  const inserted = useRef<[number, number] | undefined>(undefined)
  useEffect(() => {
    if (!inserted.current) return
    area.current?.focus()
    area.current?.setSelectionRange(...inserted.current)
    inserted.current = undefined
  }, [props.text])
  const insert = (before: string, selected = '', after = '') => {
    const { selectionStart = props.text.length, selectionEnd = props.text.length } = area.current ?? {}
    const start = selectionStart + before.length
    inserted.current = [start + (selected ? 0 : after.length), start + selected.length + (selected ? 0 : after.length)]
    props.write(props.text.slice(0, selectionStart) + before + selected + after + props.text.slice(selectionEnd))
  }
  const problem = textProblem(props.text)
  // The server's own words are English; where this knows what it means, it says it.
  const wrong = props.refused
    ? problem
      ? t.problem[problem]
      : props.refused
    : problem && problem !== 'empty'
      ? t.problem[problem]
      : undefined
  return (
    <section class="card message">
      <header>
        <h2>{props.title}</h2>
        <p class="hint">{props.about}</p>
      </header>
      <div class="stack tight">
        <Field label={props.title} hint={t.hint} error={wrong}>
          {(attributes) => (
            <textarea
              {...attributes}
              ref={area}
              rows={5}
              value={props.text}
              onInput={(event) => props.write(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="row apart">
          <fieldset class="row variables">
            <legend class="unseen">{t.insert}</legend>
            {['name', ...props.variables].map((name) => (
              <button key={name} type="button" class="button small" onClick={() => insert(`{{${name}}}`)}>
                {`{{${name}}}`}
              </button>
            ))}
            <button type="button" class="button small" onClick={() => insert('{{name|', t.fallback, '}}')}>
              {`{{name|${t.fallback}}}`}
            </button>
          </fieldset>
          <p class="hint number">{t.length(format.number(textLength(props.text)))}</p>
        </div>
      </div>
      <Field label={t.media} hint={t.mediaHint} error={props.mediaRefused}>
        {(attributes) => (
          <input
            {...attributes}
            type="url"
            placeholder={t.address}
            value={props.media}
            onInput={(event) => props.attach(event.currentTarget.value)}
          />
        )}
      </Field>
    </section>
  )
}
