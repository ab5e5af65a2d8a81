import { describe, expect, it } from 'vitest'
import { isHoldfastError } from '../model/errors.ts'
import { describeDatabase, parseDatabaseUrl } from './url.ts'

const refusal = (text: string): string => {
  try {
    parseDatabaseUrl(text)
  } catch (error) {
    if (isHoldfastError(error, 'STORE_URL_INVALID')) return String(error.facts.because)
    throw error
  }
  return 'nothing'
}

describe('the address of a database', () => {
  it('is read with what it leaves out', () => {
    const { connection, schema, connectionsMax } = parseDatabaseUrl('postgres://me:p%40ss@localhost/agents')
    expect(connection).toMatchObject({
      host: 'localhost',
      port: 5432,
      user: 'me',
      password: 'p@ss',
      database: 'agents',
    })
    expect([connection.ssl, schema, connectionsMax]).toEqual([false, 'holdfast', 8])
  })

  it('is verified in full where others could be on the way, unless it says otherwise', () => {
    const ssl = (more: string, host = 'db.example.org') =>
      parseDatabaseUrl(`postgres://me@${host}/d${more}`).connection.ssl
    expect(ssl('')).toEqual({ rejectUnauthorized: true, checksName: true })
    expect(ssl('?sslmode=verify-ca')).toEqual({ rejectUnauthorized: true, checksName: false })
    expect(ssl('?sslmode=require')).toEqual({ rejectUnauthorized: false, checksName: false })
    expect(ssl('?sslmode=disable')).toBe(false)
    expect(ssl('', '127.0.0.1')).toBe(false)
    expect(ssl('', '[::1]')).toBe(false)
    expect(ssl('', '127.0.0.1.evil.example')).toMatchObject({ rejectUnauthorized: true })
  })

  it('may be a socket of this machine', () => {
    expect(parseDatabaseUrl('postgres://me@ignored/d?host=/run/postgresql').connection).toMatchObject({
      host: '/run/postgresql',
      ssl: false,
    })
  })

  it.each([
    ['mysql://me@h/d', 'does not begin'],
    ['postgres://', 'no host'],
    ['postgres://h/d', 'no user'],
    ['postgres://me@h', 'no database'],
    ['postgres://me@h/', 'no database'],
    ['postgres://me@h/d/e', 'no database'],
    ['postgres://me:a#b@h/d', 'it is no URL'],
    ['postgres://me@h/d#b', 'fragment'],
    ['postgres://me@h:99999/d', 'no URL'],
    ['postgres://me@h/d?sslmode=prefer', 'sslmode is one of'],
    ['postgres://me@h/d?shcema=x', 'no parameter "shcema"'],
    ['postgres://me@h/d?pool=4&pool=5', 'twice'],
    ['postgres://me@h/d?pool=1', 'pool'],
    ['postgres://me@h/d?pool=1e2', 'pool'],
    ['postgres://me@h/d?schema=a"; DROP TABLE turn', 'the schema is a name'],
    ['postgres://me@h/d?schema=pg_catalog', 'the schema is a name'],
    ['postgres://me@h/d?sslrootcert=/nowhere/ca.pem', 'cannot be read'],
  ])('is refused: %s', (text, because) => expect(refusal(text)).toContain(because))

  it('is told without its password, and so is what is wrong with it', () => {
    expect(describeDatabase('postgres://me:secret@db.example.org:6432/d?schema=one')).toBe(
      'postgres://me@db.example.org:6432/d?schema=one',
    )
    expect(refusal('postgres://me:secret@h/d?x=1')).not.toContain('secret')
  })
})
