import { expect, it } from 'vitest'
import { blocks, runs } from './marks'

it('a few marks are read, the rest is text', () => {
  expect(blocks('# Ca trực\n- gọi **ngay**\n<b>x</b>').map((one) => [one.kind, one.runs.map((run) => run.text).join('|')])).toEqual([
    ['heading', 'Ca trực'],
    ['item', 'gọi |ngay'],
    ['line', '<b>x</b>'],
  ]) // prettier-ignore
  expect(runs('**a** và **b')).toEqual([
    { text: 'a', bold: true, link: null },
    { text: ' và **b', bold: false, link: null },
  ])
})

it('only https becomes a link', () => {
  const links = runs('https://a.vn/x?y=1) javascript:alert(1) http://b.vn').map((one) => one.link)
  expect(links).toEqual(['https://a.vn/x?y=1', null])
})
