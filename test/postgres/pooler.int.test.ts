import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { openHoldfast } from '../../src/engine/holdfast.ts'
import { parseSessionKey } from '../../src/model/keys.ts'
import { postgresStore } from '../../src/postgres/open.ts'
import { problemsOf } from '../../src/testing/contract/scene.ts'
import { newSchema } from './ground.ts'
import { freePort, Server } from './server.ts'

/** PgBouncer before the server, which deals two connections out to all transactions. Gives its port. */
async function startPooler(server: Server) {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-pooler-'))
  const port = await freePort()
  const { username, password } = new URL(server.url())
  writeFileSync(join(directory, 'users'), `"${username}" "${password}"\n`)
  const settings = {
    ...{ listen_addr: '127.0.0.1', listen_port: port, unix_socket_dir: '', auth_type: 'plain' },
    ...{ auth_file: join(directory, 'users'), pool_mode: 'transaction', default_pool_size: 2, max_client_conn: 100 },
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  const file = join(directory, 'pgbouncer.ini')
  writeFileSync(file, `[databases]\npostgres = host=127.0.0.1 port=${server.port}\n[pgbouncer]\n${lines.join('\n')}\n`)
  for (const path of [directory, file, join(directory, 'users')]) chmodSync(path, 0o755)
  const asUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {} // it does not run as root
  const process_ = spawn('pgbouncer', [file], { ...asUser, stdio: 'ignore' })
  await sleep(500)
  expect(process_.exitCode, 'pgbouncer runs').toBe(null)
  return {
    port,
    [Symbol.dispose]: () => {
      process_.kill('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

it('gateways go through a pooler that gives each transaction whatever connection is free', async () => {
  await using server = await Server.start()
  const url = new URL(await newSchema(server))
  using pooler = await startPooler(server)
  url.port = String(pooler.port)
  const run = async () => 'hi'
  await using one = await openHoldfast({ store: postgresStore(url.href), run, watch: false })
  await using other = await openHoldfast({ store: postgresStore(url.href), run, watch: false })
  const submissions = Array.from({ length: 40 }, (_, index) => {
    const engine = index % 2 === 0 ? one : other
    return engine.submit({ key: parseSessionKey(`s${index % 8}`), messages: `m${index}` })
  })
  for (const { turn } of await Promise.all(submissions)) {
    expect((await one.settled(turn.id, AbortSignal.timeout(30_000))).turn.status).toBe('done')
  }
  expect(problemsOf(await one.store.verify({ quick: false, atMs: Date.now() }))).toEqual([])
})
