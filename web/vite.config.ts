import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

const here = import.meta.dirname
// A page is a folder with an index.html: adding a page is adding ONE folder.
const pages = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(resolve(here, entry.name, 'index.html')))
  .map((entry) => resolve(here, entry.name, 'index.html'))
// The page of bench/web.py is no page of the product.
const bench = [resolve(here, 'bench/bench.html')]

export default defineConfig({
  // Relative addresses: the same files are served under /ui by every plane, and behind a proxy's own prefix.
  base: './',
  publicDir: false,
  plugins: [svelte()],
  resolve: { alias: { $ui: resolve(here, 'ui') } },
  build: {
    outDir: process.env.TRAM_X_WEB_OUT ?? resolve(here, '../tram/web_dist'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // a data: font or script would need a weaker Content-Security-Policy
    modulePreload: { polyfill: false },
    rollupOptions: { input: process.env.TRAM_X_WEB_BENCH ? bench : pages },
  },
  test: {
    include: ['**/*.test.ts'],
    environment: 'node',
    // Real timers run in a few tests: a loaded machine must not fail them.
    testTimeout: 15_000,
  },
})
