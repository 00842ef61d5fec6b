// In this order: most of them also claim to be those that come after.
const browsers: [mark: RegExp, name: string][] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Headless)?(?:Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]

const systems: [mark: RegExp, name: string][] = [
  [/\bAndroid\b/, 'Android'],
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]

export type BrowserName = { browser?: string; system?: string }

/** What a person would call the browser that sent this user agent. */
export function browserName(agent: string): BrowserName {
  const named = (names: [RegExp, string][]) => names.find(([mark]) => mark.test(agent))?.[1]
  // Programs call themselves by one word: curl/8.5.0.
  return { browser: named(browsers) ?? /^[\w.-]+/.exec(agent)?.[0], system: named(systems) }
}
