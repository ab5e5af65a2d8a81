import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import { forgetCompiled, holdfastProcess } from '../cli/processes.ts'
import { homeTree } from '../openclaw/clean/cleaning.ts'
import { expectedOf, Ground, unpackFixture } from '../openclaw/unpack.ts'
import { ageTo } from './aged.ts'
import { damage, idleKeys, type Planted } from './damaged-home.ts'
import { type Gateway, killGateways, programOf, startGateway, withoutResets } from './gateway.ts'
import { say, type Talk } from './load.ts'
import { RememberingModel } from './model.ts'

const dayMs = 86_400_000

const model = RememberingModel.ofFile()
afterEach(killGateways)
afterAll(forgetCompiled)

interface Finding {
  code: string
  severity: string
  count: number
  evidence: string
}

async function holdfast(dir: string, ...argv: string[]) {
  const ended = await holdfastProcess([...argv, '--home', dir, '--json'], {
    cwd: join(dir, '..'),
    env: { HOME: join(dir, '..') },
  })
  const told = ended.stdout.startsWith('{') ? JSON.parse(ended.stdout) : {}
  return { ...ended, home: told.homes?.[0] }
}

async function findings(dir: string): Promise<Map<string, Finding>> {
  const { home, stderr } = await holdfast(dir, 'doctor')
  if (home === undefined) throw new Error(stderr)
  // another home's gateway that starts right now may be taken for one of this home
  const own = (home.findings as Finding[]).filter(({ code }) => code !== 'GATEWAY_UNKNOWN')
  return new Map(own.map((each) => [each.code, each]))
}

const countsOf = (found: Map<string, Finding>) =>
  Object.fromEntries([...found].map(([code, { count }]) => [code, count]))

function more(after: Map<string, Finding>, before: Map<string, Finding>): Planted {
  const changed = [...after].map(([code, { count }]) => [code, count - (before.get(code)?.count ?? 0)] as const)
  return Object.fromEntries(changed.filter(([, count]) => count !== 0))
}

interface Step {
  kind: string
  done: boolean
  left?: string | null
}

/**
 * What puts a home right, in this order. Gives the manifests of what was changed. A transcript with a lock beside it is left by `repair`,
 * and the lock goes by `prestart`.
 */
async function putRight(dir: string, commands = [['clean', '--mode', 'enforce'], ['repair'], ['prestart']]) {
  const manifests: string[] = []
  for (const argv of commands) {
    const { home, code, stdout, stderr } = await holdfast(dir, ...argv)
    const steps = home.steps as Step[]
    const left = steps.filter(({ done }) => !done).map((step) => step.left)
    console.log(argv[0], code, countBy(steps.map(({ kind, done }) => `${kind}${done ? '' : ' left'}`)), left)
    expect([argv[0], stderr, left.filter((because) => !because?.includes('lock of an ended process'))]).toEqual([
      argv[0],
      '',
      [],
    ])
    expect(code, stdout).toBe(left.length > 0 ? 1 : 0)
    if (home.manifest !== null) manifests.push(home.manifest)
  }
  return manifests
}

const countBy = (names: string[]) =>
  Object.fromEntries(Object.entries(Object.groupBy(names, (name) => name)).map(([name, same]) => [name, same?.length]))

/** Doctor, clean, repair, prestart, undo and all of it again; then the real release goes on with each damaged session; then undo. */
async function proves(version: string, user: string, talks: readonly Talk[]): Promise<void> {
  const dir = join(user, '.openclaw')
  ageTo(dir, 2 * dayMs)
  const before = await findings(dir)
  const planted = damage(dir, talks)
  const after = await findings(dir)
  console.log(version, countsOf(before), countsOf(after))
  expect(more(after, before)).toEqual(planted)

  const tree = homeTree(dir)
  const first = await putRight(dir)
  for (const manifest of first.toReversed()) {
    const { code, stderr } = await holdfast(dir, 'undo', manifest)
    expect([code, stderr]).toEqual([0, ''])
  }
  expect(homeTree(dir)).toEqual(tree)

  const second = await putRight(dir)
  const right = await findings(dir)
  expect([...right.values()].filter(({ severity }) => severity === 'error')).toEqual([])
  for (const code of Object.keys(planted))
    expect([code, right.get(code)?.count ?? 0]).toEqual([
      code,
      Math.min(right.get(code)?.count ?? 0, before.get(code)?.count ?? 0),
    ])

  const gateway = await startGateway(version, user, model.url, withoutResets)
  const told = { turns: 0, failures: [] }
  const live = await findings(dir)
  for (const talk of talks) await say(gateway, model, talk, `Are you there, ${talk.key}?`, told)
  await gateway.stop()
  console.log(version, told, countsOf(right), countsOf(live))
  expect(told.failures).toEqual([])

  for (const manifest of second.toReversed()) await holdfast(dir, 'undo', manifest)
  const now = homeTree(dir)
  const untouched = Object.keys(tree).filter((path) => /\.deleted\.|\/[0-9a-f-]{36}\.jsonl$/.test(path))
  const talked = new Set(Object.values(indexOf(dir)).map(({ sessionId }) => sessionId))
  for (const path of untouched.filter((each) => ![...talked].some((id) => each.includes(id)))) {
    expect([path, now[path]]).toEqual([path, tree[path]])
  }
  expect(Object.keys(indexOf(dir))).toEqual(expect.arrayContaining([...idleKeys, ...talks.map(({ key }) => key)]))
}

function indexOf(dir: string): Record<string, { sessionId: string; status?: string }> {
  return JSON.parse(readFileSync(join(dir, 'agents/main/sessions/sessions.json'), 'utf8'))
}

it('2026.5.18 goes on with a home that it wrote and that was damaged, found, cleaned, repaired and undone', async () => {
  using ground = new Ground()
  const { user, dir } = unpackFixture('2026.5.18', ground.root)
  const expected = expectedOf('2026.5.18')
  const here = Object.keys(indexOf(dir))
  const talks = Object.entries(expected).flatMap(([key, transcripts]): Talk[] => {
    const said = transcripts.at(-1)?.map(([asked]) => asked) ?? []
    return here.includes(key) && said.length > 1 ? [{ key, said }] : []
  })
  expect(talks.length).toBeGreaterThanOrEqual(5)
  await proves('2026.5.18', user, talks.slice(0, 5))
})

it('2026.7.1 goes on with a home that it wrote and that was damaged, found, cleaned, repaired and undone', async () => {
  const user = mkdtempSync(join(tmpdir(), 'holdfast-afterwards-'))
  const gateway = await startGateway('2026.7.1', user, model.url, withoutResets)
  const talks = [
    'telegram:direct:1',
    'telegram:direct:2',
    'telegram:group:-3',
    'discord:channel:4',
    'signal:direct:5',
  ].map((rest): Talk => ({ key: `agent:main:${rest}`, said: [] }))
  const told = { turns: 0, failures: [] }
  for (const talk of talks)
    for (const text of ['first', 'second']) await say(gateway, model, talk, `the ${text} of ${talk.key}`, told)
  // that a turn has ended is written a moment after its answer
  const runs = () => Object.values(indexOf(join(user, '.openclaw'))).filter(({ status }) => status === 'running').length
  await expect.poll(runs, { timeout: 60_000 }).toBe(0)
  await gateway.stop()
  expect(told.failures).toEqual([])
  ageTo(join(user, '.openclaw'), 2 * dayMs)
  const clean = await findings(join(user, '.openclaw'))
  expect([...clean.values()].filter(({ severity }) => severity !== 'note')).toEqual([])
  await proves('2026.7.1', user, talks)
  rmSync(user, { recursive: true, force: true })
})

it('2026.9.6 goes on with a home in SQLite that was looked at, cleaned by its own command, and left alone by repair and prestart', async () => {
  using ground = new Ground()
  const { user, dir } = unpackFixture('2026.9.6', ground.root)
  const expected = expectedOf('2026.9.6')
  const talks = Object.entries(expected)
    .filter(([key, transcripts]) => key.startsWith('agent:main:') && (transcripts.at(-1)?.length ?? 0) > 1)
    .map(([key, transcripts]): Talk => ({ key, said: transcripts.at(-1)?.map(([asked]) => asked) ?? [] }))
    .slice(0, 3)
  const found = await findings(dir)
  expect([...found.values()].filter(({ severity }) => severity !== 'note')).toEqual([])
  const tree = homeTree(dir)
  expect(await putRight(dir, [['repair'], ['prestart']])).toEqual([])
  expect(homeTree(dir)).toEqual(tree)

  const byItsOwn = [['clean', '--mode', 'enforce', '--openclaw', programOf('2026.9.6')]]
  await putRight(dir, byItsOwn)

  const gateway = await startGateway('2026.9.6', user, model.url, withoutResets)
  const told = { turns: 0, failures: [] }
  const all = async (by: Gateway, text: string) => {
    for (const talk of talks) await say(by, model, talk, `${text}, ${talk.key}?`, told)
  }
  await all(gateway, 'Are you there')
  const live = await holdfast(dir, 'doctor')
  expect(live.home.gateway).toMatchObject({ state: 'running' })
  const serious = (live.home.findings as Finding[]).filter(({ severity }) => severity === 'error')
  expect(serious).toEqual([])
  await putRight(dir, byItsOwn)
  await all(gateway, 'And now')
  await gateway.stop()
  expect(await putRight(dir, [['repair'], ['prestart']])).toEqual([])
  const again = await startGateway('2026.9.6', user, model.url, withoutResets)
  await all(again, 'And after that')
  await again.stop()
  console.log('2026.9.6', told, countsOf(found), live.home.findings)
  expect(told.failures).toEqual([])
})
