import { expect, it } from 'vitest'
import { best, plain, score } from './find'

it('marks are no hindrance', () => {
  expect(plain('Đức Xuân')).toBe('duc xuan')
  expect(score('gia bay', 'Cầu Gia Bảy')).toBeGreaterThan(0)
  expect(score('Gia Bảy', 'cau gia bay')).toBeGreaterThan(0)
  expect(score('gia xuân', 'Cầu Gia Bảy')).toBe(0)
})

it('the start of a word counts more than its middle', () => {
  const names = ['Trạm đo Quang Sơn', 'Quang Sơn', 'Aquang', 'Phú Bình']
  expect(best(names, 'quang', (name) => name, 3)).toEqual(['Quang Sơn', 'Trạm đo Quang Sơn', 'Aquang'])
  expect(best(names, '', (name) => name, 2)).toHaveLength(2)
})
