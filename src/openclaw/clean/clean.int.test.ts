import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cleaned, homeTree, keysOf, undoAll } from '../../../test/openclaw/clean/cleaning.ts'
import { dayMs, idleHome, names, person } from '../../../test/openclaw/clean/idle-home.ts'
import { people } from '../../../test/openclaw/crowd.ts'
import { Ground } from '../../../test/openclaw/unpack.ts'

describe('cleaning', () => {
  it('archives what is past its time, leaves all else to the byte, and has nothing left to do then', async () => {
    using ground = new Ground()
    const built = idleHome(ground)
    const before = homeTree(built.dir)
    const { steps, manifest } = await cleaned(built.dir)
    expect(steps.filter(({ done }) => !done)).toEqual([])
    const gone = new Set(steps.map(({ path }) => path))
    expect(keysOf(built.dir)).toEqual(
      built.sessions
        .filter(({ key, plan }) => plan.bound !== false && key !== person(1) && key !== person(3) && !/run:/.test(key))
        .map(({ key }) => key)
        .concat(
          built.sessions.filter(({ key, plan }) => /run:/.test(key) && (plan.ageMs ?? 0) < dayMs).map(({ key }) => key),
        ),
    )
    const now = homeTree(built.dir)
    for (const [name, facts] of Object.entries(before)) {
      const path = join(built.dir, name)
      if (name.endsWith('sessions.json')) continue
      expect(now[name], name).toBe(gone.has(path) ? undefined : facts)
    }
    expect(existsSync(manifest ?? '')).toBe(true)
    expect(await cleaned(built.dir)).toMatchObject({ steps: [], manifest: null })
  })

  it('can be undone to the byte, with modes and times', async () => {
    using ground = new Ground()
    const { dir } = idleHome(ground)
    const before = homeTree(dir)
    await cleaned(dir)
    expect(homeTree(dir)).not.toEqual(before)
    expect(await undoAll(dir)).toEqual([])
    expect(homeTree(dir)).toEqual(before)
  })

  it('undone after the gateway went on: its entries come back, and what is new stays', async () => {
    using ground = new Ground()
    const { dir } = idleHome(ground)
    await cleaned(dir)
    const path = join(dir, 'agents/main/sessions/sessions.json')
    const index = JSON.parse(readFileSync(path, 'utf8'))
    index[person(9)] = { sessionId: 'new', updatedAt: 1 }
    writeFileSync(path, JSON.stringify(index, null, 2))
    expect(await undoAll(dir)).toEqual([])
    expect(keysOf(dir)).toEqual(expect.arrayContaining([person(1), person(3), person(9)]))
  })

  it('changes nothing in a dry run, in the mode warn, and where a rule cannot be read', async () => {
    using ground = new Ground()
    const { dir } = idleHome(ground)
    const before = homeTree(dir)
    const dry = await cleaned(dir, {}, { dryRun: true })
    expect(dry.steps.length).toBeGreaterThan(10)
    await cleaned(dir, { mode: 'warn' })
    await cleaned(dir, { mode: 'off' })
    writeFileSync(join(dir, 'openclaw.json'), '{"session":{"maintenance":{"pruneAfter":"soon"}}}')
    const { steps, notes, enforced } = await cleaned(dir)
    expect([steps.every(({ done }) => !done), enforced]).toEqual([true, false])
    expect(notes.join('\n')).toMatch(/pruneAfter: found "soon"/)
    expect(Object.keys(homeTree(dir))).toEqual(Object.keys(before))
    expect(existsSync(join(dir, 'holdfast'))).toBe(false)
  })

  it('is given the same plan by a dry run as is carried out', async () => {
    using ground = new Ground()
    const { dir } = idleHome(ground)
    const plain = ({ steps }: Awaited<ReturnType<typeof cleaned>>) =>
      steps.map(({ done: _, because: __, ...rest }) => rest)
    const dry = plain(await cleaned(dir, {}, { dryRun: true }))
    expect(plain(await cleaned(dir))).toEqual(dry)
  })

  it('keeps fields and entries that nobody knows, to the byte', async () => {
    using ground = new Ground()
    const built = idleHome(ground)
    const path = join(built.sessionsDir('main'), 'sessions.json')
    const text = readFileSync(path, 'utf8').replace('{\n', '{\n  "agent:main:future" : {"x":1.50, "é\\u00e9":[ ]},\n')
    writeFileSync(path, text)
    await cleaned(built.dir)
    expect(readFileSync(path, 'utf8')).toContain('"agent:main:future" : {"x":1.50, "é\\u00e9":[ ]},\n')
  })
})

describe('a hostile home', () => {
  it('nothing outside is touched, and the rest is cleaned', async () => {
    using ground = new Ground()
    const built = idleHome(ground)
    const outside = join(ground.root, 'outside.jsonl')
    writeFileSync(outside, 'not yours\n')
    const old = new Date(Date.now() - 90 * dayMs)
    const dir = built.sessionsDir('main')
    symlinkSync(outside, join(dir, 'link.jsonl'))
    linkSync(outside, join(dir, 'hard.jsonl'))
    utimesSync(outside, old, old)
    execFileSync('mkfifo', [join(dir, 'pipe.jsonl')])
    mkdirSync(join(dir, 'directory.jsonl'))
    const { path } = built.session(person(1))
    renameSync(path, `${path}.elsewhere`)
    symlinkSync(outside, path)
    const { steps } = await cleaned(built.dir)
    expect(readFileSync(outside, 'utf8')).toBe('not yours\n')
    for (const name of ['link.jsonl', 'hard.jsonl', 'pipe.jsonl', 'directory.jsonl'])
      expect(names(built.dir), name).toContain(name)
    expect(keysOf(built.dir)).toContain(person(1))
    expect(steps.filter(({ done }) => done).length).toBeGreaterThan(5)
  })

  it('an index that cannot be read is left alone with its transcripts, and told', async () => {
    using ground = new Ground()
    const built = idleHome(ground)
    const index = join(built.sessionsDir('main'), 'sessions.json')
    writeFileSync(index, '')
    const { steps, notes } = await cleaned(built.dir)
    expect(notes.join('\n')).toMatch(/cannot be read.*holdfast repair/)
    expect(steps.every(({ kind }) => kind === 'archive-leftover' || kind === 'remove-temporary')).toBe(true)
    expect(names(built.dir)).toContain(built.session('agent:main:loose').path.split('/').at(-1))
    expect(readFileSync(index, 'utf8')).toBe('')
  })
})

it('makes a heavy index small, keeps a copy beside it, and can be undone', async () => {
  using ground = new Ground()
  const sessions = people(10, { days: 4 }).map((each) => ({ ...each, reportBytes: 37_000, snapshotBytes: 4_500 }))
  const { dir } = idleHome(ground, { agents: [{ id: 'main', sessions }] })
  const before = homeTree(dir)
  const path = join(dir, 'agents/main/sessions/sessions.json')
  const was = readFileSync(path)
  const { steps } = await cleaned(dir, { indexRotateBytes: 400_000 })
  expect(steps).toMatchObject([{ kind: 'rotate-index', done: true }])
  const index = JSON.parse(readFileSync(path, 'utf8'))
  expect(Object.keys(index)).toEqual(Object.keys(JSON.parse(was.toString())))
  const [[key, entry]] = Object.entries(index) as [[string, Record<string, unknown>]]
  const { skillsSnapshot: _, systemPromptReport: __, ...rest } = JSON.parse(was.toString())[key]
  expect(entry).toEqual(rest)
  const copies = names(dir).filter((name) => name.includes('.bak.'))
  expect(copies).toHaveLength(1)
  expect(readFileSync(join(dir, 'agents/main/sessions', copies[0] ?? '')).equals(was)).toBe(true)
  expect((await cleaned(dir, { indexRotateBytes: 400_000 })).steps).toEqual([])
  expect(await undoAll(dir)).toEqual([])
  expect(homeTree(dir)).toEqual(before)
})
