import { expect, it } from 'vitest'
import { openHoldfast } from '../../src/engine/holdfast.ts'
import { isHoldfastError } from '../../src/model/errors.ts'
import { parseSessionKey } from '../../src/model/keys.ts'
import { openReadOnly, postgresStore } from '../../src/postgres/open.ts'
import { until } from '../gateway/harness/wait.ts'
import { newSchema } from './ground.ts'
import { certificateOf, Server } from './server.ts'

const key = parseSessionKey('alice')
const run = async () => 'hi'

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: unknown) => (isHoldfastError(error) ? error.code : String(error)),
  )

async function ask(url: string): Promise<string> {
  await using engine = await openHoldfast({ store: postgresStore(url), run, watch: false })
  const { turn } = await engine.submit({ key, messages: 'hello' })
  return (await engine.settled(turn.id)).turn.status
}

it('a standby is read, says that it is read-only, and works when it is promoted', async () => {
  await using primary = await Server.start()
  const url = new URL(await newSchema(primary))
  expect(await ask(url.href)).toBe('done')
  await using standby = await primary.standby()
  url.port = String(standby.port)
  expect(await codeOf(openHoldfast({ store: postgresStore(url.href), run, watch: false }))).toBe('STORE_READ_ONLY')
  const reading = await openReadOnly(url.href)
  expect((await reading.readSession(key))?.head).toBe(2)
  await reading.close()
  await standby.query('SELECT pg_promote()')
  await until('it is promoted', async () => {
    const [row] = await standby.query('SELECT pg_is_in_recovery() AS still')
    return row?.still === false
  })
  expect(await ask(url.href)).toBe('done')
})

it('an encrypted server is trusted by the authority that is given, or when nobody asks who it is', async () => {
  await using server = await Server.startEncrypted()
  const url = await newSchema(server)
  const authority = encodeURIComponent(certificateOf('server.crt'))
  expect(await codeOf(openReadOnly(`${url}&sslmode=verify-full`))).toBe('STORE_TLS')
  for (const trusted of ['sslmode=require', `sslmode=verify-full&sslrootcert=${authority}`]) {
    expect(await ask(`${url}&${trusted}`)).toBe('done')
  }
  const other = url.replace('127.0.0.1', 'localhost')
  expect(await codeOf(openReadOnly(`${other}&sslmode=verify-full&sslrootcert=${authority}`))).toBe('STORE_TLS')
  expect(await ask(`${other}&sslmode=verify-ca&sslrootcert=${authority}`)).toBe('done')
})
