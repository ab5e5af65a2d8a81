import { describe, expect, it } from 'vitest'
import { type AccessRules, checkBinding, checkNames, checkToken } from './access.ts'

const rules = (host = '127.0.0.1', allowedHosts: string[] = []): AccessRules => ({
  host,
  token: null,
  peerToken: null,
  allowedHosts,
})
const here = { localAddress: '127.0.0.1', localPort: 4747 }
const names = (headers: Record<string, string>, given = rules(), connection = here) =>
  checkNames(new Headers(headers), given, connection)

describe('the Host header', () => {
  it.each(['localhost:4747', '127.0.0.1:4747', '[::1]:4747', 'LOCALHOST:4747', 'localhost.:4747', '127.0.0.1'])(
    'may be %s',
    (host) => expect(() => names({ host })).not.toThrow(),
  )

  it.each([
    'evil.example:4747',
    'localhost:4748',
    'localhost.evil.example:4747',
    '127.0.0.1.evil.example:4747',
    '192.168.1.5:4747',
    'evil@localhost:4747',
    'localhost:4747/x',
    '',
  ])('may not be %j, which is what DNS rebinding brings', (host) => {
    expect(() => names({ host })).toThrow('Host header')
  })

  it('must be there', () => expect(() => names({})).toThrow('Host header'))

  it('may be the bound address, the address of the connection, and a configured name', () => {
    const open = rules('0.0.0.0', ['agent.example', 'other.example:8443'])
    const lan = { localAddress: '::ffff:192.168.1.5', localPort: 4747 }
    for (const host of [
      '192.168.1.5:4747',
      'agent.example',
      'agent.example:9',
      'other.example:8443',
      'localhost:4747',
    ]) {
      expect(() => names({ host }, open, lan), host).not.toThrow()
    }
    expect(() => names({ host: 'other.example:80' }, open, lan)).toThrow('Host header')
    expect(() => names({ host: '192.168.1.6:4747' }, open, lan)).toThrow('Host header')
  })
})

describe('the Origin header', () => {
  const host = 'localhost:4747'
  it('may be our own', () => expect(() => names({ host, origin: 'http://localhost:4747' })).not.toThrow())

  it.each(['https://evil.example', 'null', 'http://localhost:3000', 'file://', 'http://localhost:4747.evil.example'])(
    'may not be %s',
    (origin) => expect(() => names({ host, origin })).toThrow('Origin header'),
  )
})

describe('the token', () => {
  it('is taken when it is the one', () => expect(() => checkToken('Bearer secret', 'secret')).not.toThrow())

  it.each([null, '', 'secret', 'Bearer', 'Bearer ', 'Bearer secre', 'Bearer secret1', 'Basic secret'])(
    'is refused as %j',
    (header) => expect(() => checkToken(header, 'secret')).toThrow('bearer token'),
  )

  it('is never matched by an absent one, even when it is empty', () => {
    expect(() => checkToken(null, '')).toThrow('bearer token')
  })
})

describe('listening', () => {
  it.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1', '[::1]'])('on %s needs no token', (host) => {
    expect(() => checkBinding(host, false)).not.toThrow()
  })

  it.each(['0.0.0.0', '::', '192.168.1.5', 'gateway.example', '127.0.0.1.evil.example'])('on %s needs one', (host) => {
    expect(() => checkBinding(host, false)).toThrow('--token-env')
    expect(() => checkBinding(host, true)).not.toThrow()
  })
})
