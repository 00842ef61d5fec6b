import '../style/contacts.css'
import { useState } from 'preact/hooks'
import { Title } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import { type Beginning, readBeginning } from './csv'
import { FileChoice } from './FileChoice'
import { ImportOptions } from './ImportOptions'
import { PastImports } from './PastImports'

const texts = bilingual(
  {
    title: 'Import contacts',
    back: 'Contacts',
    file: 'The file',
    unreadable: (name: string) =>
      `${name} is not a CSV file that can be read. In a spreadsheet, save it as “CSV UTF-8”.`,
  },
  {
    title: 'Importer des contacts',
    back: 'Contacts',
    file: 'Le fichier',
    unreadable: (name: string) =>
      `${name} n'est pas un fichier CSV lisible. Dans un tableur, enregistrez-le comme «\u00a0CSV UTF-8\u00a0».`,
  },
)

type Chosen = { file: File; beginning?: Beginning }

export default function Import() {
  const t = useWords(texts)
  const [chosen, setChosen] = useState<Chosen>()
  const choose = async (file: File) => setChosen({ file, beginning: await readBeginning(file) })
  return (
    <>
      <Title back={{ to: '/contacts', name: t.back }}>{t.title}</Title>
      <section class="card" aria-labelledby="file">
        <h2 id="file">{t.file}</h2>
        <FileChoice file={chosen?.file} choose={choose} />
        {chosen && !chosen.beginning && (
          <p class="error" role="alert">
            {t.unreadable(chosen.file.name)}
          </p>
        )}
      </section>
      {chosen?.beginning && (
        <ImportOptions
          key={`${chosen.file.name} ${chosen.file.lastModified} ${chosen.file.size}`}
          file={chosen.file}
          beginning={chosen.beginning}
        />
      )}
      <PastImports />
    </>
  )
}
