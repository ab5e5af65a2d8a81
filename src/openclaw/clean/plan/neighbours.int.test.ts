import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { buildHome } from '../../../../test/openclaw/build.ts'
import { cleaned, homeTree } from '../../../../test/openclaw/clean/cleaning.ts'
import { Ground } from '../../../../test/openclaw/unpack.ts'

const dayMs = 86_400_000

it('leaves alone what another agent keeps in the same directory', async () => {
  using ground = new Ground()
  const dir = join(ground.root, 'home')
  const stores = join(dir, 'stores')
  const built = buildHome(dir, {
    config: { session: { store: join(stores, '{agentId}.json') }, agents: { list: [{ id: 'one' }, { id: 'two' }] } },
    agents: [
      { id: 'one', sessions: [{ key: 'agent:one:telegram:direct:1' }] },
      {
        id: 'two',
        sessions: [
          { key: 'agent:two:main', ageMs: 40 * dayMs },
          { key: 'agent:two:telegram:direct:2', ageMs: 40 * dayMs },
          { key: 'agent:two:loose', ageMs: 40 * dayMs, bound: false },
        ],
      },
    ],
  })
  mkdirSync(stores)
  for (const id of ['one', 'two']) {
    const from = built.sessionsDir(id)
    const index = readFileSync(join(from, 'sessions.json'), 'utf8')
    rmSync(join(from, 'sessions.json'))
    for (const name of readdirSync(from)) renameSync(join(from, name), join(stores, name))
    writeFileSync(join(stores, `${id}.json`), index.replaceAll(from, stores))
  }
  rmSync(join(dir, 'agents'), { recursive: true })
  const at = (key: string) => built.session(key).path.replace(built.sessionsDir('two'), stores)
  const before = homeTree(dir)

  writeFileSync(join(stores, 'two.json.keep'), readFileSync(join(stores, 'two.json')))
  writeFileSync(join(stores, 'two.json'), '{"torn')
  const { steps, notes } = await cleaned(dir)
  expect(steps).toEqual([])
  expect(notes.join('\n')).toMatch(/The index of agent two cannot be read; .* for agent one too/)
  renameSync(join(stores, 'two.json.keep'), join(stores, 'two.json'))
  expect(Object.keys(homeTree(dir))).toEqual(Object.keys(before))

  const done = (await cleaned(dir)).steps.map(({ kind, path }) => `${kind} ${path}`)
  expect(new Set(done)).toEqual(
    new Set([
      `archive-transcript ${at('agent:two:loose')}`,
      `drop-entry ${join(stores, 'two.json')}`,
      `archive-transcript ${at('agent:two:telegram:direct:2')}`,
    ]),
  )
  expect(existsSync(at('agent:two:main'))).toBe(true)
})

it('leaves alone a transcript that an entry of another agent leads to', async () => {
  using ground = new Ground()
  const built = buildHome(join(ground.root, 'home'), {
    agents: [
      { id: 'main', sessions: [{ key: 'agent:main:telegram:direct:1', ageMs: 40 * dayMs }] },
      { id: 'two', sessions: [{ key: 'agent:two:telegram:direct:1', transcript: false }] },
    ],
  })
  const { path } = built.session('agent:main:telegram:direct:1')
  const index = join(built.sessionsDir('two'), 'sessions.json')
  const entries = JSON.parse(readFileSync(index, 'utf8'))
  // as its gateway sees it, in a container
  entries['agent:two:telegram:direct:1'].sessionFile = path.replace(built.dir, '/home/node/.openclaw')
  writeFileSync(index, JSON.stringify(entries))
  expect((await cleaned(built.dir)).steps).toEqual([])
  expect(existsSync(path)).toBe(true)
})
