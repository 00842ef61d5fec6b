/** What the provider said, without the notes that our own program put before it. */
export const providerWords = (said: string) => said.replace(/^wassenger: [\w ]+: (?:halted: )?/, '')
