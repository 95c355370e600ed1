import { expect, it } from 'vitest'
import type { Series } from '../../data/types'
import { csv } from './save'

it('a file that a spreadsheet reads', () => {
  const series: Series = {
    datastream: { id: 7, thing: 'a,"b"', property: 'pm2_5', labels: {}, unit: 'ug/m3' },
    items: [
      { time: '2026-01-01T00:00:00Z', result: 1.5, quality: 0 },
      { time: '2026-01-01T00:01:00Z', result: null, quality: 4 },
    ],
    used: 'raw', bucket_seconds: null, thinned: false, buckets: null,
  } // prettier-ignore
  expect(csv([series]).split('\r\n')).toEqual([
    '\uFEFFdatastream,thing,property,unit,time,value,min,max,n,quality',
    '7,"a,""b""",pm2_5,ug/m3,2026-01-01T00:00:00Z,1.5,,,1,0',
    '7,"a,""b""",pm2_5,ug/m3,2026-01-01T00:01:00Z,,,,1,4',
    '',
  ])
})
