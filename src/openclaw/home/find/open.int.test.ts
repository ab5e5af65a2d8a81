import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildHome } from '../../../../test/openclaw/build.ts'
import { Ground, unpackFixture } from '../../../../test/openclaw/unpack.ts'
import { unprivileged } from '../../../../test/unprivileged.ts'
import type { Home } from '../home.ts'
import { isHome, type OpenGround, openHome } from './open.ts'

const isRoot = process.getuid?.() === 0
const one = { agents: [{ id: 'main', sessions: [{ key: 'agent:main:main' }] }] }

function opened(dir: string, more: Partial<OpenGround> = {}): Promise<Home> {
  return openHome(
    { dir, configPath: null, elsewhere: null },
    { env: {}, userDir: '/home/bot', versionOf: async () => null, ...more },
  )
}

describe('a home', () => {
  it('of the file generation is told as one', async () => {
    using ground = new Ground()
    const { dir } = unpackFixture('2026.5.18', ground.root)
    const home = await opened(dir)
    expect(home).toMatchObject({
      dir,
      generation: 'files',
      version: null,
      receipts: [],
      unreadable: [],
      elsewhere: null,
    })
    expect(home.agents.map(({ id, databasePath }) => [id, databasePath])).toEqual([
      ['main', null],
      ['work', null],
    ])
    expect(home.configPath).toBe(join(dir, 'openclaw.json'))
  })

  it('of the SQLite generation is told as one', async () => {
    using ground = new Ground()
    const { dir } = unpackFixture('2026.9.6', ground.root)
    const home = await opened(dir, {
      versionOf: async (path) => (path === join(dir, 'state/openclaw.sqlite') ? '2026.9.6' : null),
    })
    expect(home).toMatchObject({ generation: 'sqlite', version: '2026.9.6', unreadable: [] })
    expect(home.agents.map(({ databasePath }) => databasePath)).toEqual(
      ['main', 'work'].map((id) => join(dir, 'agents', id, 'agent', 'openclaw-agent.sqlite')),
    )
  })

  it('with both is mixed, and one with neither is empty', async () => {
    using ground = new Ground()
    const { dir } = unpackFixture('2026.9.6', ground.root)
    writeFileSync(join(dir, 'agents/main/sessions/0b1c.jsonl'), '')
    expect((await opened(dir)).generation).toBe('mixed')
    mkdirSync(join(ground.root, 'new'))
    writeFileSync(join(ground.root, 'new', 'openclaw.json'), '{}')
    expect(await opened(join(ground.root, 'new'))).toMatchObject({
      generation: 'empty',
      agents: [{ id: 'main' }],
    })
  })

  it('has the release that wrote its configuration, or its database where that is later', async () => {
    using ground = new Ground()
    const { dir } = buildHome(join(ground.root, 'home'), { ...one, version: '2026.10.1' })
    expect((await opened(dir)).version).toBe('2026.10.1')
    mkdirSync(join(dir, 'state'))
    writeFileSync(join(dir, 'state/openclaw.sqlite'), '')
    expect((await opened(dir, { versionOf: async () => '2026.9.6' })).version).toBe('2026.10.1')
    expect((await opened(dir, { versionOf: async () => '2026.11.1' })).version).toBe('2026.11.1')
  })

  it('with a configuration that cannot be followed is still looked at, and not cleaned', async () => {
    using ground = new Ground()
    const { dir } = buildHome(join(ground.root, 'home'), { ...one, config: '{ session: ' })
    const home = await opened(dir, { overrides: { mode: 'enforce' } })
    expect(home).toMatchObject({ generation: 'files', policy: { mode: 'warn' } })
    expect(home.unreadable).toEqual([
      { path: join(dir, 'openclaw.json'), because: expect.stringContaining('invalid end of input') },
    ])
    writeFileSync(join(dir, 'openclaw.json'), '{ session: { maintenance: { maxEntries: "many" } } }')
    expect((await opened(dir)).unreadable).toEqual([
      { path: join(dir, 'openclaw.json'), because: expect.stringContaining('session.maintenance.maxEntries') },
    ])
  })

  it('does not reach into another home, whose gateway may run', async () => {
    using ground = new Ground()
    const [dir, other] = [join(ground.root, 'home'), join(ground.root, 'other')]
    buildHome(dir, { agents: [{ id: 'main' }] })
    const theirs = buildHome(other, { agents: [{ id: 'main' }] })
    mkdirSync(join(dir, 'agents/work'))
    symlinkSync(theirs.sessionsDir('main'), join(dir, 'agents', 'work', 'sessions'))
    const home = await opened(dir)
    expect(home.agents.map(({ id }) => id)).toEqual(['main'])
    expect(home.unreadable).toEqual([
      { path: join(dir, 'agents/work'), because: expect.stringContaining(`in ${other}`) },
    ])
  })

  it('keeps its sessions where session.store says, agents that share a store are one', async () => {
    using ground = new Ground()
    const outsideOfHome = join(ground.root, 'stores')
    mkdirSync(join(outsideOfHome, 'work'), { recursive: true })
    const agents = ['main', 'work'].map((id) => ({ id }))
    const { dir } = buildHome(join(ground.root, 'a'), {
      agents,
      config: { session: { store: `${outsideOfHome}/{agentId}/index.json` } },
    })
    expect((await opened(dir)).agents).toEqual([
      {
        id: 'main',
        sessionsDir: join(outsideOfHome, 'main'),
        indexPath: join(outsideOfHome, 'main/index.json'),
        databasePath: null,
      },
      {
        id: 'work',
        sessionsDir: join(outsideOfHome, 'work'),
        indexPath: join(outsideOfHome, 'work/index.json'),
        databasePath: null,
      },
    ])
    const shared = buildHome(join(ground.root, 'b'), {
      agents,
      config: { session: { store: `${outsideOfHome}/all.json` } },
    })
    expect((await opened(shared.dir)).agents).toMatchObject([
      { id: 'main', indexPath: join(outsideOfHome, 'all.json') },
    ])
  })

  it('has the agents of its configuration, and all that have a folder', async () => {
    using ground = new Ground()
    const { dir } = buildHome(join(ground.root, 'home'), { agents: [{ id: 'main' }, { id: 'gone' }] })
    renameSync(join(dir, 'agents/gone'), join(dir, 'agents/left'))
    writeFileSync(join(dir, 'agents/.DS_Store'), '')
    mkdirSync(join(dir, 'agents/not an agent'))
    expect((await opened(dir)).agents.map(({ id }) => id)).toEqual(['main', 'gone', 'left'])
  })

  it.runIf(isRoot)('is not left for places of other users, wherever its links lead', async () => {
    using ground = new Ground()
    const { dir } = buildHome(join(ground.root, 'home'), { agents: [{ id: 'main' }, { id: 'evil' }] })
    const secret = join(ground.root, 'secret')
    mkdirSync(join(secret, 'sessions'), { recursive: true })
    renameSync(join(dir, 'agents/evil'), join(ground.root, 'was'))
    symlinkSync(secret, join(dir, 'agents/evil'))
    chownSync(dir, 12345, 12345)
    const home = await opened(dir)
    expect(home.agents.map(({ id }) => id)).toEqual(['main'])
    expect(home.unreadable).toEqual([
      { path: join(dir, 'agents/evil'), because: expect.stringContaining("another user's") },
    ])
    chownSync(join(secret, 'sessions'), 12345, 12345)
    expect((await opened(dir)).agents.map(({ id }) => id)).toEqual(['main', 'evil'])
  })

  it('that is closed to us is unreadable', async () => {
    using ground = new Ground()
    const { dir } = buildHome(join(ground.root, 'home'), one)
    chmodSync(dir, 0)
    await unprivileged(ground.root, () => expect(isHome(dir)).rejects.toMatchObject({ code: 'HOME_UNREADABLE' }))
    chmodSync(dir, 0o700)
  })
})
