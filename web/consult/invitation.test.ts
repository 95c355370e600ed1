import { describe, expect, it } from 'vitest'
import { addresses, tokenOf } from './invitation'

describe('the address', () => {
  it('carries the token behind the #', () => {
    expect(tokenOf('#token=v1.a.b.c')).toBe('v1.a.b.c')
    expect(tokenOf('#x=1&token=t%2B1')).toBe('t+1')
    for (const hash of ['', '#', '#token=', '#other=1']) expect(tokenOf(hash)).toBeNull()
  })

  it('leads to the server beside the page, behind any prefix', () => {
    expect(addresses('https://tele.example/ui/consult/?lang=en#token=x')).toEqual({
      socket: 'wss://tele.example/consult',
      api: 'https://tele.example/consult/api',
    })
    expect(addresses('http://127.0.0.1:8090/care/ui/consult/').socket).toBe('ws://127.0.0.1:8090/care/consult')
  })
})
