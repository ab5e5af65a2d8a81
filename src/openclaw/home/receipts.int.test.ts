import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildHome } from '../../../test/openclaw/build.ts'
import { Ground } from '../../../test/openclaw/unpack.ts'
import type { AgentHome } from './home.ts'
import { namedIn, receiptsOf, within } from './receipts.ts'

/** A home with manifests of a migration. */
function migrated(ground: Ground, manifests: Record<string, unknown>): { dir: string; agents: AgentHome[] } {
  const home = buildHome(join(ground.root, 'home'), { agents: [{ id: 'main' }] })
  const sessionsDir = home.sessionsDir('main')
  const runs = join(home.dir, 'session-sqlite-migration-runs')
  mkdirSync(runs)
  for (const [name, manifest] of Object.entries(manifests)) {
    writeFileSync(join(runs, name), typeof manifest === 'string' ? manifest : JSON.stringify(manifest))
  }
  return {
    dir: home.dir,
    agents: [{ id: 'main', sessionsDir, indexPath: join(sessionsDir, 'sessions.json'), databasePath: null }],
  }
}

const manifestOf = (sessions: string) => ({
  manifestVersion: 4,
  runId: 'session-sqlite-1795245683941-0a1b2c3d',
  targets: [
    {
      agentId: 'main',
      storePath: `${sessions}/sessions.json`,
      sqlitePath: `${sessions}/../agent/openclaw-agent.sqlite`,
      plannedMoves: [
        {
          kind: 'transcript',
          sourcePath: `${sessions}/a.jsonl`,
          archivePath: `${sessions}/../session-sqlite-import-archive/a.jsonl`,
          artifact: {
            dependencies: [`${sessions}/b.jsonl`],
            disposal: { state: 'pending-disposal', claimPath: `${sessions}/.cleanup-1` },
          },
        },
      ],
      completedMoves: [],
      validationBeforeArchive: 'passed',
    },
  ],
})

describe('what a migration has named', () => {
  it('is every path in its manifests, and the folders of what it moved away', async () => {
    using ground = new Ground()
    const { dir, agents } = migrated(ground, {})
    const sessions = join(dir, 'agents/main/sessions')
    writeFileSync(
      join(dir, 'session-sqlite-migration-runs/session-sqlite-1.json'),
      JSON.stringify(manifestOf(sessions)),
    )
    mkdirSync(join(dir, 'agents/main/session-sqlite-import-archive'))
    mkdirSync(join(sessions, 'cold'))
    const { paths, unreadable } = await receiptsOf(dir, agents, null)
    expect(unreadable).toEqual([])
    const named = namedIn(paths)
    for (const path of [
      join(sessions, 'sessions.json'),
      join(sessions, 'a.jsonl'),
      join(sessions, 'b.jsonl'),
      join(sessions, '.cleanup-1'),
      join(sessions, 'cold', 'ab.jsonl.zst'),
      join(dir, 'agents/main/session-sqlite-import-archive/a.jsonl'),
      join(dir, 'session-sqlite-migration-runs/session-sqlite-1.json'),
    ]) {
      expect([path, named(path)]).toEqual([path, true])
    }
    expect(named(join(sessions, 'c.jsonl'))).toBe(false)
    expect(named(join(sessions, 'a.jsonl.deleted.x'))).toBe(false)
  })

  it('is nothing where none has run', async () => {
    using ground = new Ground()
    const home = buildHome(join(ground.root, 'home'), { agents: [{ id: 'main' }] })
    expect(await receiptsOf(home.dir, [], null)).toEqual({ paths: [], unreadable: [] })
  })

  it.each([
    ['in its container', '/home/node/.openclaw', '/home/node/.openclaw'],
    ['on another machine', '/srv/old-bot', null],
  ])('is understood where the home lay elsewhere: %s', async (_, at, elsewhere) => {
    using ground = new Ground()
    const { dir, agents } = migrated(ground, { 'session-sqlite-1.json': manifestOf(`${at}/agents/main/sessions`) })
    const named = namedIn((await receiptsOf(dir, agents, elsewhere)).paths)
    expect(named(join(dir, 'agents/main/sessions/a.jsonl'))).toBe(true)
    expect(named(join(dir, 'agents/main/sessions/c.jsonl'))).toBe(false)
  })

  it.each([
    ['torn', '{"targets":['],
    ['empty', ''],
  ])('is all there is where a manifest is %s', async (_, text) => {
    using ground = new Ground()
    const { dir, agents } = migrated(ground, { 'session-sqlite-1.json': text })
    const { paths, unreadable } = await receiptsOf(dir, agents, null)
    expect(unreadable).toEqual([
      { path: join(dir, 'session-sqlite-migration-runs'), because: expect.stringContaining('no JSON') },
    ])
    expect(namedIn(paths)(join(dir, 'agents/main/sessions/any.jsonl'))).toBe(true)
  })

  it('is read however deep it is', async () => {
    using ground = new Ground()
    const deep = `${'['.repeat(5_000)}"/x"${']'.repeat(5_000)}`
    const { dir, agents } = migrated(ground, { 'session-sqlite-1.json': deep })
    expect(namedIn((await receiptsOf(dir, agents, null)).paths)('/x')).toBe(true)
  })
})

it.each([
  ['/h/agents/main/sessions/a', null, '/h/agents/main/sessions/a'],
  ['/c/agents/main/sessions/a', '/c', '/h/agents/main/sessions/a'],
  ['/c/store/a', '/c', '/h/store/a'],
  ['/old/agents/x/agents/main/sessions/a', null, '/h/agents/main/sessions/a'],
  ['/old/store/a', null, null],
  ['/cc/store/a', '/c', null],
])('%s, seen from a gateway at %s, is %s here', (path, elsewhere, expected) => {
  expect(within('/h', path, elsewhere)).toBe(expected)
})
