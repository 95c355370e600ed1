import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'
import svelteConfig from './svelte.config.js'

export default ts.config(
  { ignores: ['node_modules/', 'wall/data/schema.d.ts'] },
  ts.configs.strict,
  svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  {
    rules: {
      'no-console': 'error', // a consult's page writes nothing about anybody into a log
      'no-undef': 'off', // TypeScript knows better
      eqeqeq: 'error',
      '@typescript-eslint/no-non-null-assertion': 'off', // noUncheckedIndexedAccess makes them the honest way to say so
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 330, skipBlankLines: true, skipComments: true }],
      'svelte/no-at-html-tags': 'error', // chat, names and file names come from others
    },
  },
  { files: ['**/*.test.ts'], rules: { 'max-lines': 'off' } },
)
