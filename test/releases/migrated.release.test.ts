import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runCommand } from '../../src/host/commands.ts'
import { releaseOf } from '../../src/openclaw/database/release.ts'
import { findHomes } from '../../src/openclaw/home/find.ts'
import { namedIn } from '../../src/openclaw/home/receipts.ts'
import { node } from '../cli/processes.ts'
import { Ground, unpackFixture } from '../openclaw/unpack.ts'
import { programOf } from './gateway.ts'

it('a home that 2026.9.6 has moved to SQLite is told as one, and all that it moved is named', async () => {
  using ground = new Ground()
  const { user, dir } = unpackFixture('2026.5.18', ground.root)
  const find = async () => {
    const around = {
      env: {},
      userDir: user,
      cwd: user,
      run: runCommand,
      versionOf: async (path: string) => releaseOf(path),
    }
    const [home] = await findHomes({ homes: [dir], docker: false, agents: [] }, around)
    if (home === undefined) throw new Error('no home was found')
    return home
  }
  expect(await find()).toMatchObject({ generation: 'files', receipts: [], unreadable: [] })
  const sessions = ['main', 'work'].map((id) => join(dir, 'agents', id, 'sessions'))
  const before = sessions.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  const others = readdirSync(dir).filter((name) => name !== 'agents' && name !== 'openclaw.json')
  for (const name of others) rmSync(join(dir, name), { recursive: true }) // they need a native module, which is not installed here
  const env = { PATH: process.env.PATH, HOME: user, OPENCLAW_STATE_DIR: dir, NO_COLOR: '1' }
  const limits = { timeLimitMs: 240_000, outputBytesMax: 1_000_000, env, cwd: user }
  const said = await runCommand(node, [programOf('2026.9.6'), 'doctor', '--fix', '--non-interactive'], limits)
  const home = await find()
  expect([home.generation, home.version, said.stdout.slice(-2_000)]).toEqual(['sqlite', '2026.9.6', expect.any(String)])
  expect(home.unreadable).toEqual([])
  const named = namedIn(home.receipts)
  const moved = before.filter((path) => !existsSync(path) && /\.jsonl$|sessions\.json$/.test(path))
  expect(moved.length).toBeGreaterThan(10)
  expect(moved.filter((path) => !named(path))).toEqual([])
  const archives = ['main', 'work'].map((id) => join(dir, 'agents', id, 'session-sqlite-import-archive'))
  const kept = archives.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  expect(kept.length).toBeGreaterThanOrEqual(moved.length)
  expect(kept.filter((path) => !named(path))).toEqual([])
})
