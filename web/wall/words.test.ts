import { expect, it } from 'vitest'

// One dictionary is made of all: a key in two files would silently take the words of the later one.
const files = import.meta.glob<Record<string, Record<string, unknown>>>(
  ['./words/*.ts', '!./words/index.ts', '!./words/kinds.ts', '../ui/words.ts'],
  { eager: true },
)

it('no key stands in two files', () => {
  const keys = Object.values(files).flatMap((file) => Object.values(file).flatMap((words) => Object.keys(words)))
  expect(keys.length).toBeGreaterThan(200)
  expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([])
})
