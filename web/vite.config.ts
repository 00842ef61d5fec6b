import { defineConfig } from 'vitest/config'

// The API that `npx vite` passes requests on to while one works on the sources.
const api = process.env.RELANCE_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  base: '/app/',
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // Small files inside others would need a laxer content security policy.
    assetsInlineLimit: 0,
    // A screen is one file more than the frame, not a dozen small ones that it shares.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: 'frame', test: /node_modules|src\/(api|ui|words|Navigation|Frame)/ }] },
      },
    },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  server: { proxy: { '^/(?!app/)': api } },
  test: {
    projects: [
      { extends: true, test: { name: 'logic', include: ['src/**/*.test.ts'] } },
      browser('browser', 'browser/**/*.test.ts'),
      browser('measure', 'browser/measure.ts'),
      browser('screenshots', 'browser/screenshots.ts'),
    ],
  },
})

// browser is a set of runs that share the machine's browser and one running
// Relance each, so that files come one after the other.
function browser(name: string, include: string) {
  return {
    extends: true as const,
    test: { name, include: [include], fileParallelism: false, testTimeout: 120_000, hookTimeout: 240_000 },
  }
}
