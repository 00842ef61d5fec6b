/** The country calling codes of one and of two digits; all others have three (ITU-T E.164). */
const short = /^(1|7|20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/

/** How the numbers of a country are grouped by those who live there, where that is not by threes. */
const groups: Record<string, number[]> = {
  '1': [3, 3, 4],
  '32': [3, 2, 2, 2],
  '33': [1, 2, 2, 2, 2],
  '41': [2, 3, 2, 2],
  '44': [4, 6],
  '212': [1, 2, 2, 2, 2],
  '213': [1, 2, 2, 2, 2],
  '221': [2, 3, 2, 2],
  '225': [2, 2, 2, 2, 2],
}

/** +33639980001 as people read it: +33 6 39 98 00 01. */
export function readablePhone(phone: string): string {
  if (!/^\+\d{7,15}$/.test(phone)) return phone
  const digits = phone.slice(1)
  const code = short.exec(digits)?.[0] ?? digits.slice(0, 3)
  const parts: string[] = []
  let rest = digits.slice(code.length)
  const plan = groups[code]
  const sizes = plan && plan.reduce((sum, n) => sum + n) === rest.length ? [...plan] : []
  while (rest) {
    // Nobody likes a last digit that stands alone.
    const size = sizes.shift() ?? (rest.length === 4 ? 4 : 3)
    parts.push(rest.slice(0, size))
    rest = rest.slice(size)
  }
  // Numbers do not break at the end of a line.
  return [`+${code}`, ...parts].join('\u00a0')
}

/** Whether a number as the server keeps it is what somebody has typed, as far as can be told here. */
export function samePhone(kept: string, typed: string): boolean {
  const dialled = typed.replace(/[^\d+]/g, '').replace(/^00/, '+')
  if (dialled.startsWith('+')) return kept === dialled
  const national = dialled.replace(/^0+/, '')
  return national.length >= 6 && kept.endsWith(national)
}
