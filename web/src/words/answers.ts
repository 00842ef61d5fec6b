import { useLanguage } from './language'

// What the server says to people, which it says in English.
const french: [RegExp, string][] = [
  [/^must not be empty$/, 'est vide'],
  [/is not a phone number; write it as (\S+)$/, "n'est pas un numéro de téléphone\u00a0; écrivez-le comme $1"],
  [
    /has no country code; .*$/,
    "n'a pas d'indicatif de pays\u00a0; commencez par + et l'indicatif, ou choisissez le pays",
  ],
  [/begins with a country code that does not exist$/, "commence par un indicatif de pays qui n'existe pas"],
  [/is too short for its country$/, 'est trop court pour son pays'],
  [/is too long for its country$/, 'est trop long pour son pays'],
  [/does not have the length of a number of its country$/, "n'a pas la longueur d'un numéro de son pays"],
  [/is not a phone number that can be reached from abroad$/, "n'est pas joignable depuis l'étranger"],
  [/must have at most (\d+) characters, has (\d+)$/, 'a $2 caractères, $1 au plus sont possibles'],
  [/must be at most (\d+), are (\d+)$/, '$2, alors que $1 au plus sont possibles'],
  [
    /^cannot have the name "(.*?)": .*$/,
    "«\u00a0$1\u00a0» n'est pas un nom possible\u00a0: une lettre d'abord, puis lettres, chiffres, _, . ou -, et pas «\u00a0name\u00a0»",
  ],
  [/^is empty; its first line must name the columns.*$/, 'est vide\u00a0; sa première ligne doit nommer les colonnes'],
  [/^is UTF-16; .*$/, 'est en UTF-16\u00a0; enregistrez-le comme «\u00a0CSV UTF-8\u00a0» dans le tableur'],
  [/^has two columns called "(.*)"$/, 'a deux colonnes «\u00a0$1\u00a0»'],
  [/^has a quote where none belongs$/, 'a un guillemet mal placé'],
  [/^has more cells than the first line has columns$/, 'a plus de cellules que la première ligne de colonnes'],
  [/^is not UTF-8, which the rows before it are$/, "n'est pas en UTF-8, contrairement aux lignes précédentes"],
  [/^is neither UTF-8 nor Latin-1$/, "n'est ni en UTF-8 ni en Latin-1"],
  [/^has more than (\d+) columns beside phone and name$/, 'a plus de $1 colonnes en plus du téléphone et du nom'],
  [
    /^The file has a quote in line (\d+) that is never closed\.$/,
    "Un guillemet ouvert à la ligne $1 n'est jamais fermé.",
  ],
  [
    /^The file has a row of more than .*$/,
    "Le fichier a une ligne démesurée\u00a0; un guillemet n'y est sans doute jamais fermé.",
  ],
  [/^The upload broke off\.$/, "L'envoi du fichier s'est interrompu."],
  [/^Another contact has this phone number\.$/, 'Un autre contact a déjà ce numéro.'],
  [/^Another category has this name\.$/, 'Une autre catégorie porte déjà ce nom.'],
  [/^There is nothing with this id\.$/, "Il n'y a rien sous cet identifiant."],
  [/^What is asked does not fit the present state\.$/, "L'état actuel ne le permet pas."],
  [/^This took too long\. Try again in a moment\.$/, "C'était trop long. Réessayez dans un instant."],
  [/^The database does not answer\..*$/, 'La base de données ne répond pas. Réessayez dans un instant.'],
  [
    /^Something went wrong on our side; .* id (.*)\.$/,
    'Une erreur est survenue chez nous\u00a0; le journal en dit plus sous $1.',
  ],
  [/^Other files are being received\..*$/, "D'autres fichiers sont en cours de réception. Réessayez dans un instant."],
  [/^The body must have at most \d+ bytes\.$/, 'Le fichier est trop grand.'],
  [/^The e-mail address or the password is wrong\.$/, "L'adresse e-mail ou le mot de passe est faux."],
  [
    /^A campaign that is about to start is meant for this category\.$/,
    'Une campagne qui va démarrer est destinée à cette catégorie.',
  ],
]

const subjects: [RegExp, string][] = [
  [/^phone /, 'le téléphone '],
  [/^name /, 'le nom '],
]

/** What the server said, in the reader's language where we have the words. */
export function useAnswers() {
  const { language } = useLanguage()
  return (text: string) => (language === 'fr' ? inFrench(text) : text)
}

export function inFrench(text: string): string {
  const [pattern, subject] = subjects.find(([begins]) => begins.test(text)) ?? [/^/, '']
  const said = text.replace(pattern, '')
  for (const [known, words] of french) if (known.test(said)) return subject + said.replace(known, words)
  return text
}
