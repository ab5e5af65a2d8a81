import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildHome } from '../../../test/openclaw/build.ts'
import { cleaned, homeTree, keysOf, quietProcesses, stopped, undoAll } from '../../../test/openclaw/clean/cleaning.ts'
import { cronRuns, people } from '../../../test/openclaw/crowd.ts'
import type { BuiltHome, HomePlan } from '../../../test/openclaw/plans.ts'
import { Ground } from '../../../test/openclaw/unpack.ts'

const dayMs = 86_400_000
const person = (at: number) => `agent:main:telegram:direct:${at}`
const nobody = 4_194_999

function home(ground: Ground, plan: Partial<HomePlan> = {}): BuiltHome {
  const sessions = [
    { key: 'agent:main:main', ageMs: 60 * dayMs },
    { key: person(1), ageMs: 6 * dayMs },
    { key: person(2), ageMs: 4 * dayMs },
    { key: person(3), ageMs: 40 * dayMs, transcript: false },
    { key: 'agent:main:telegram:group:-1', ageMs: 60 * dayMs },
    { key: 'agent:main:slack:channel:c:thread:1.2', ageMs: 60 * dayMs, topic: '1.2' },
    { key: 'agent:main:loose', ageMs: 9 * dayMs, bound: false },
    ...cronRuns(4).map((each, at) => ({ ...each, ageMs: (at + 1) * 10 * 3_600_000 })),
  ]
  const leftovers = (
    [
      'deleted',
      'reset',
      'backup',
      'corrupt',
      'checkpoint',
      'trajectory',
      'temporary',
      'index-temporary',
      'side',
      'prompt',
    ] as const
  ).map((kind) => ({ kind, ageMs: 2 * dayMs }))
  return buildHome(join(ground.root, 'home'), { agents: [{ id: 'main', sessions, leftovers }], ...plan })
}

const names = (dir: string) => readdirSync(join(dir, 'agents/main/sessions'))

describe('cleaning', () => {
  it('archives what is past its time, leaves all else to the byte, and has nothing left to do then', async () => {
    using ground = new Ground()
    const built = home(ground)
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
    const { dir } = home(ground)
    const before = homeTree(dir)
    await cleaned(dir)
    expect(homeTree(dir)).not.toEqual(before)
    expect(await undoAll(dir)).toEqual([])
    expect(homeTree(dir)).toEqual(before)
  })

  it('undone after the gateway went on: its entries come back, and what is new stays', async () => {
    using ground = new Ground()
    const { dir } = home(ground)
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
    const { dir } = home(ground)
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
    const { dir } = home(ground)
    const plain = ({ steps }: Awaited<ReturnType<typeof cleaned>>) =>
      steps.map(({ done: _, because: __, ...rest }) => rest)
    const dry = plain(await cleaned(dir, {}, { dryRun: true }))
    expect(plain(await cleaned(dir))).toEqual(dry)
  })

  it('keeps fields and entries that nobody knows, to the byte', async () => {
    using ground = new Ground()
    const built = home(ground)
    const path = join(built.sessionsDir('main'), 'sessions.json')
    const text = readFileSync(path, 'utf8').replace('{\n', '{\n  "agent:main:future" : {"x":1.50, "é\\u00e9":[ ]},\n')
    writeFileSync(path, text)
    await cleaned(built.dir)
    expect(readFileSync(path, 'utf8')).toContain('"agent:main:future" : {"x":1.50, "é\\u00e9":[ ]},\n')
  })
})

describe('what changes while it cleans', () => {
  it('a transcript that is written to keeps its entry', async () => {
    using ground = new Ground()
    const built = home(ground)
    const { path } = built.session(person(1))
    const readProcesses = async () => {
      setTimeout(() => appendFileSync(path, '{"type":"message"}\n'), 0)
      const table = await quietProcesses()
      await new Promise((resolve) => setTimeout(resolve, 5))
      return table
    }
    const { steps } = await cleaned(built.dir, {}, { readProcesses })
    expect(keysOf(built.dir)).toContain(person(1))
    expect(existsSync(path)).toBe(true)
    const own = steps.filter(({ key }) => key === person(1))
    expect(own.map(({ kind, left }) => [kind, left?.replace(/^[\w-]+/, '…')])).toEqual([
      ['drop-entry', '….jsonl has changed since it was looked at'],
      ['archive-transcript', '….jsonl has changed since it was looked at'],
    ])
    expect(steps.filter(({ done }) => done).length).toBeGreaterThan(5)
  })

  it('a gateway that starts meanwhile keeps its index, and what its entries name', async () => {
    using ground = new Ground()
    const { dir } = home(ground)
    const before = keysOf(dir)
    const gatewayNow = async () => ({ state: 'running', pid: 7, sinceMs: 0, proof: '', container: null }) as const
    const { steps } = await cleaned(dir, {}, { gatewayNow })
    expect(keysOf(dir)).toEqual(before)
    const left = steps.filter(({ done }) => !done)
    expect(new Set(left.map((step) => step.left))).toEqual(new Set(['a gateway has started meanwhile']))
    expect(left.every(({ key }) => key !== null)).toBe(true)
    expect(steps.some(({ kind, done }) => kind === 'archive-leftover' && done)).toBe(true)
  })

  it('an index that is written meanwhile stays as it was written', async () => {
    using ground = new Ground()
    const { dir } = home(ground)
    const path = join(dir, 'agents/main/sessions/sessions.json')
    const gatewayNow = async () => {
      const index = JSON.parse(readFileSync(path, 'utf8'))
      writeFileSync(path, JSON.stringify({ ...index, [person(9)]: { sessionId: 'x' } }))
      return stopped
    }
    const { steps } = await cleaned(dir, {}, { gatewayNow })
    expect(keysOf(dir)).toContain(person(9))
    expect(keysOf(dir)).toContain(person(1))
    expect(steps.find(({ key }) => key === person(1))?.left).toMatch(/index has changed/)
    expect(existsSync(join(dir, 'agents/main/sessions', 'sessions.json.lock'))).toBe(false)
  })

  it('another Holdfast is not waited for', async () => {
    using ground = new Ground()
    const { dir } = home(ground)
    const { takeWriterLock } = await import('../files/own/writer-lock.ts')
    using _ = takeWriterLock(dir)
    await expect(cleaned(dir)).rejects.toMatchObject({ code: 'HOME_BUSY' })
  })
})

describe('locks', () => {
  it('of ended processes go with what they were for; others keep it', async () => {
    using ground = new Ground()
    const of = (at: number, pid: number) => ({ of: person(at), pid, ageMs: 0, startTicks: 1 })
    const built = home(ground, {
      agents: [
        {
          id: 'main',
          sessions: [
            { key: 'agent:main:main' },
            { key: person(1), ageMs: 6 * dayMs },
            { key: person(2), ageMs: 6 * dayMs },
          ],
          locks: [of(1, nobody), { ...of(2, process.pid), text: JSON.stringify({ pid: process.pid }) }],
        },
      ],
    })
    await cleaned(built.dir)
    expect(keysOf(built.dir)).toEqual(['agent:main:main', person(2)])
    expect(names(built.dir).filter((name) => name.endsWith('.lock'))).toEqual([
      `${built.session(person(2)).sessionId}.jsonl.lock`,
    ])
  })

  it('of a killed run of ours are taken off, and nothing else knows of them', async () => {
    using ground = new Ground()
    const built = home(ground)
    const { path } = built.session(person(1))
    const ours = { pid: nobody, createdAt: new Date().toISOString(), starttime: 1, holdfast: { host: 'x' } }
    writeFileSync(`${path}.lock`, JSON.stringify(ours, null, 2))
    const { steps } = await cleaned(built.dir)
    expect(steps.filter(({ kind }) => kind === 'clear-lock')).toEqual([])
    expect([existsSync(path), existsSync(`${path}.lock`)]).toEqual([false, false])
  })

  it('are held while a transcript goes', async () => {
    using ground = new Ground()
    const built = home(ground)
    const trace = join(ground.root, 'trace')
    const program = new URL('../../../test/openclaw/programs/clean.ts', import.meta.url).pathname
    execFileSync('strace', [
      '-f',
      '-qq',
      '-o',
      trace,
      '-e',
      'trace=link,rename,unlink',
      process.execPath,
      '--no-warnings',
      program,
      built.dir,
    ])
    const name = `${built.session(person(1)).sessionId}.jsonl`
    const lines = readFileSync(trace, 'utf8').split('\n')
    const at = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line))
    const taken = at(new RegExp(`link.*${name}\\.lock"`))
    const renamed = at(new RegExp(`rename.*${name}"`))
    const released = at(new RegExp(`unlink.*${name}\\.lock"`))
    expect(taken).toBeGreaterThan(0)
    expect(renamed).toBeGreaterThan(taken)
    expect(released).toBeGreaterThan(renamed)
  })
})

describe('a hostile home', () => {
  it('nothing outside is touched, and the rest is cleaned', async () => {
    using ground = new Ground()
    const built = home(ground)
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
    const built = home(ground)
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
  const { dir } = home(ground, { agents: [{ id: 'main', sessions }] })
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
