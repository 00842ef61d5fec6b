import { useRef, useState } from 'preact/hooks'
import { Icon } from '../ui/icons'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'

const texts = bilingual(
  {
    drop: 'Drop a CSV file here',
    or: 'or',
    choose: 'Choose a file',
    another: 'Choose another file',
    hint: 'With the names of the columns in its first line. Commas, semicolons or tabs; as Excel, Google Sheets or LibreOffice save it; at most 256 MB.',
    size: (n: string, mega: boolean) => `${n} ${mega ? 'MB' : 'kB'}`,
    file: 'CSV file',
  },
  {
    drop: 'Déposez un fichier CSV ici',
    or: 'ou',
    choose: 'Choisir un fichier',
    another: 'Choisir un autre fichier',
    hint: "Avec les noms des colonnes en première ligne. Virgules, points-virgules ou tabulations\u00a0; tel qu'Excel, Google Sheets ou LibreOffice l'enregistre\u00a0; 256\u00a0Mo au plus.",
    size: (n: string, mega: boolean) => `${n}\u00a0${mega ? 'Mo' : 'ko'}`,
    file: 'Fichier CSV',
  },
)

/** Where a file is dropped, or chosen. */
export function FileChoice({ file, choose }: { file?: File; choose: (file: File) => void }) {
  const t = useWords(texts)
  const format = useFormat()
  const mega = file !== undefined && file.size >= 1_000_000
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const button = (
    <button type="button" class="button" onClick={() => input.current?.click()}>
      <Icon name="upload" />
      {file ? t.another : t.choose}
    </button>
  )
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: whoever cannot drop a file has the button
    <div
      class={over ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        const dropped = event.dataTransfer?.files[0]
        if (dropped) choose(dropped)
      }}
    >
      <input
        ref={input}
        type="file"
        class="unseen"
        tabIndex={-1}
        aria-label={t.file}
        accept=".csv,.tsv,.txt,text/csv,text/tab-separated-values"
        onChange={(event) => {
          const [chosen] = event.currentTarget.files ?? []
          if (chosen) choose(chosen)
          event.currentTarget.value = ''
        }}
      />
      {file ? (
        <p class="row">
          <span class="strong">{file.name}</span>
          <span class="muted">{t.size(format.number(Math.ceil(file.size / (mega ? 1_000_000 : 1000))), mega)}</span>
          {button}
        </p>
      ) : (
        <>
          <p class="strong">{t.drop}</p>
          <p class="muted">{t.or}</p>
          {button}
          <p class="hint">{t.hint}</p>
        </>
      )}
    </div>
  )
}
