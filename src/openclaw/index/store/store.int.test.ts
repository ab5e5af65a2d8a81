import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { IndexWriter } from '../../../../test/openclaw/index-writers.ts'
import { Ground, unpackFixture } from '../../../../test/openclaw/unpack.ts'
import { systemClock } from '../../../host/clock.ts'
import { currentHolder } from '../../../host/process.ts'
import type { AgentHome } from '../../home/home.ts'
import { type EntryChange, patchEntry } from '../edit.ts'
import { openIndexStore } from './store.ts'
import type { IndexView } from './view.ts'

class Place extends Ground {
  readonly agent: AgentHome
  readonly store: ReturnType<typeof openIndexStore>

  constructor(text: string | null = '{\n  "a": {\n    "count": 0\n  }\n}') {
    super()
    const sessionsDir = this.root
    this.agent = { id: 'main', sessionsDir, indexPath: join(sessionsDir, 'sessions.json'), databasePath: null }
    if (text !== null) writeFileSync(this.agent.indexPath, text, { mode: 0o600 })
    this.store = openIndexStore(this.agent, this.root, { clock: systemClock, keeping: null })
  }

  get text(): string {
    return readFileSync(this.agent.indexPath, 'utf8')
  }

  get names(): string[] {
    return readdirSync(this.root).filter((name) => name !== 'sessions.json.holdfast-guard')
  }

  lock(text: string, ageMs = 0): string {
    const path = `${this.agent.indexPath}.lock`
    writeFileSync(path, text)
    utimesSync(path, (Date.now() - ageMs) / 1_000, (Date.now() - ageMs) / 1_000)
    return path
  }
}

const count =
  (key: string, by = 1) =>
  ({ raw }: IndexView): EntryChange[] => {
    const before = raw(key)
    const was = before === null ? 0 : JSON.parse(before).count
    return [{ key, before, after: patchEntry(before ?? '{}', { count: was + by }) }]
  }
const codeOf = async (run: Promise<unknown>) =>
  await run.then(
    () => null,
    (error: { code: string }) => error.code,
  )
const isRoot = process.geteuid?.() === 0

describe('a change', () => {
  it('of an index that a gateway wrote leaves every other byte, and its mode', async () => {
    using ground = new Ground()
    const { dir } = unpackFixture('2026.5.18', ground.root)
    const sessionsDir = join(dir, 'agents/main/sessions')
    const agent = { id: 'main', sessionsDir, indexPath: join(sessionsDir, 'sessions.json'), databasePath: null }
    const before = readFileSync(agent.indexPath, 'utf8')
    const store = openIndexStore(agent, dir, { clock: systemClock, keeping: null })
    const key = 'agent:main:discord:channel:1666666666666666666'
    await store.update(({ raw }) => {
      const entry = raw(key) ?? ''
      return [{ key, before: entry, after: patchEntry(entry, { status: 'failed', endedAt: undefined }) }]
    })
    const after = readFileSync(agent.indexPath, 'utf8')
    const at = before.lastIndexOf('"status": "running"')
    expect(after).toBe(`${before.slice(0, at)}"status": "failed"${before.slice(at + '"status": "running"'.length)}`)
    expect(statSync(agent.indexPath).mode & 0o777).toBe(0o600)
  })
  it('makes an index where there is none, and nothing else', async () => {
    using place = new Place(null)
    await place.store.update(count('b'))
    expect(JSON.parse(place.text)).toEqual({ b: { count: 1 } })
    expect(place.names).toEqual(['sessions.json'])
    expect(statSync(place.agent.indexPath).mode & 0o777).toBe(0o600)
  })
  it('that is none writes nothing', async () => {
    using place = new Place()
    const before = statSync(place.agent.indexPath, { bigint: true })
    await place.store.update(() => [])
    await place.store.update(({ raw }) => [{ key: 'a', before: raw('a'), after: raw('a') }])
    expect(statSync(place.agent.indexPath, { bigint: true })).toEqual(before)
  })
  it.each(['', '{"a":{"cou', '[]', '\0\0'])('is refused where the index is %j, which stays as it is', async (text) => {
    using place = new Place(text)
    expect(await codeOf(place.store.update(count('a')))).toBe('INDEX_UNREADABLE')
    expect(place.text).toBe(text)
    expect(place.names).toEqual(['sessions.json'])
  })
  it('is refused where the index is a link', async () => {
    using place = new Place(null)
    writeFileSync(join(place.root, 'other'), '{}')
    symlinkSync('other', place.agent.indexPath)
    expect(await codeOf(place.store.update(count('a')))).toBe('INDEX_UNREADABLE')
    expect(readFileSync(join(place.root, 'other'), 'utf8')).toBe('{}')
  })
  it('that fails in the edit lets everybody else go on', async () => {
    using place = new Place()
    const failing = place.store.update(() => {
      throw new RangeError('mine')
    })
    await expect(failing).rejects.toThrow('mine')
    await place.store.update(count('a'))
    expect(JSON.parse(place.text)).toEqual({ a: { count: 1 } })
  })
  it('removes what a killed writer has left', async () => {
    using place = new Place()
    writeFileSync(join(place.root, 'sessions.json.holdfast.tmp'), '{"a":')
    await place.store.update(count('a'))
    expect(place.names).toEqual(['sessions.json'])
  })
  it.runIf(isRoot)(
    'is written in place where the name is a mount of its own, as in a container (root only)',
    async () => {
      using place = new Place()
      writeFileSync(join(place.root, 'real'), '{"a":{"count":4},"b":"longer than what comes"}')
      execFileSync('mount', ['--bind', join(place.root, 'real'), place.agent.indexPath])
      try {
        await place.store.update(({ raw }) => [{ key: 'b', before: raw('b'), after: null }])
      } finally {
        execFileSync('umount', [place.agent.indexPath])
      }
      expect(readFileSync(join(place.root, 'real'), 'utf8')).toBe('{"a":{"count":4}}')
      expect(place.names).toEqual(['real', 'sessions.json'])
    },
  )
})

describe('two at once', () => {
  it('in one process wait for each other, also through two stores', async () => {
    using place = new Place()
    const other = openIndexStore(place.agent, place.root, { clock: systemClock, keeping: null })
    await Promise.all(Array.from({ length: 40 }, (_, at) => (at % 2 ? other : place.store).update(count('a'))))
    expect(JSON.parse(place.text)).toEqual({ a: { count: 40 } })
  })
  it('in two processes lose nothing, and a reader always sees a whole index', async () => {
    using place = new Place()
    const writers = ['one', 'two', 'three'].map((name) => new IndexWriter(place.root, name, 20))
    let reading = true
    const reader = (async () => {
      for (let reads = 0; ; reads++) {
        if (!reading) return reads
        JSON.parse(place.text)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const ends = await Promise.all(writers.map(({ ended }) => ended))
    reading = false
    expect(writers.map(({ failure }) => failure)).toEqual(['', '', ''])
    expect(ends).toEqual([0, 0, 0])
    expect(await reader).toBeGreaterThan(10)
    const counted = { count: 20 }
    expect(JSON.parse(place.text)).toEqual({
      a: { count: 0 },
      shared: { count: 60 },
      one: counted,
      two: counted,
      three: counted,
    })
    expect(place.names).toEqual(['sessions.json'])
  })
  it('of which one knows no lock: what it has written stays, and the change is made on top of it', async () => {
    using place = new Place()
    let calls = 0
    await place.store.update((index) => {
      calls++
      if (calls < 3) {
        writeFileSync(`${place.agent.indexPath}.new`, JSON.stringify({ a: { count: 10 * calls } }))
        renameSync(`${place.agent.indexPath}.new`, place.agent.indexPath)
      }
      return count('a')(index)
    })
    expect(calls).toBe(3)
    expect(JSON.parse(place.text)).toEqual({ a: { count: 21 } })
  })
  it('of which one never ends: nothing is written', async () => {
    using place = new Place()
    let calls = 0
    const change = place.store.update((index) => {
      writeFileSync(place.agent.indexPath, JSON.stringify({ a: { count: 100 + calls++ } }))
      return count('a')(index)
    })
    expect(await codeOf(change)).toBe('HOME_CHANGED')
    expect(JSON.parse(place.text)).toEqual({ a: { count: 99 + calls } })
    expect(place.names).toEqual(['sessions.json'])
  })
  it('give up after their time', async () => {
    using place = new Place()
    place.lock(JSON.stringify({ pid: process.pid, createdAt: new Date().toISOString() }))
    const both = [place.store.update(count('a'), { waitMs: 60 }), place.store.update(count('a'), { waitMs: 30 })]
    expect(await Promise.all(both.map(codeOf))).toEqual(['HOME_BUSY', 'HOME_BUSY'])
    expect(JSON.parse(place.text)).toEqual({ a: { count: 0 } })
  })
})

describe('a lock beside the index', () => {
  const { host, bootId, pidNamespace } = currentHolder(0)
  const payload = (pid: number, starttime: number | null, holdfast: object | undefined) =>
    JSON.stringify({ pid, createdAt: new Date().toISOString(), maxHoldMs: 20_000, starttime, holdfast })
  const outcome = async (text: string, ageMs = 0) => {
    using place = new Place()
    const path = place.lock(text, ageMs)
    const code = await codeOf(place.store.update(count('a'), { waitMs: 50 }))
    if (code !== null) expect(readFileSync(path, 'utf8')).toBe(text)
    else expect(place.names).toEqual(['sessions.json'])
    return code
  }
  /** A process of this machine that has just ended. */
  const ended = async () => {
    const child = spawn('true')
    await once(child, 'exit')
    return child.pid ?? 0
  }

  it('is held while the index is changed, as gateways write it, and gone afterwards', async () => {
    using place = new Place()
    await place.store.update((index) => {
      const text = readFileSync(`${place.agent.indexPath}.lock`, 'utf8')
      expect(JSON.parse(text)).toMatchObject({ pid: process.pid, maxHoldMs: 20_000, holdfast: { host } })
      expect(text).toMatch(/^\{\n {2}"pid": \d+,\n {2}"createdAt": "[-\d]+T[:.\d]+Z",[\s\S]+\}\n$/)
      return count('a')(index)
    })
    expect(place.names).toEqual(['sessions.json'])
  })
  it('is taken over from a process of ours that has ended, or whose pid is somebody else by now', async () => {
    expect(await outcome(payload(await ended(), 5, { host, bootId, pidNamespace }))).toBeNull()
    expect(await outcome(payload(process.pid, 5, { host, bootId, pidNamespace }))).toBeNull()
    expect(await outcome(payload(process.pid, 5, { host, bootId: 'an earlier one', pidNamespace }))).toBeNull()
  })
  it('stays where its process runs, or cannot be seen from here', async () => {
    const { startTicks } = currentHolder(0)
    expect(await outcome(payload(process.pid, startTicks, { host, bootId, pidNamespace }), 3_600_000)).toBe('HOME_BUSY')
    expect(await outcome(payload(await ended(), 5, { host: 'elsewhere', bootId, pidNamespace }))).toBe('HOME_BUSY')
    expect(await outcome(payload(await ended(), 5, { host, bootId, pidNamespace: 'pid:[1]' }))).toBe('HOME_BUSY')
    expect(await outcome(payload(await ended(), 5, undefined))).toBe('HOME_BUSY')
  })
  it('that names nobody is taken over when it is older than any writer needs for it', async () => {
    expect(await outcome('', 31_000)).toBeNull()
    expect(await outcome('{"pid":', 31_000)).toBeNull()
    expect(await outcome('', 20_000)).toBe('HOME_BUSY')
    expect(await outcome('{}', -3_600_000)).toBe('HOME_BUSY')
  })
  it('is no file: nobody gets past it', async () => {
    using place = new Place()
    mkdirSync(`${place.agent.indexPath}.lock`)
    expect(await codeOf(place.store.update(count('a'), { waitMs: 50 }))).toBe('HOME_UNSAFE')
  })
  it('of a killed writer keeps nobody up', async () => {
    using place = new Place()
    const writer = new IndexWriter(place.root, 'killed', 1_000)
    onTestFinished(() => writer.kill())
    await writer.hasDone(5)
    writer.kill()
    expect(await writer.ended).toBe('killed')
    place.lock(payload(await ended(), 5, { host, bootId, pidNamespace }))
    await place.store.update(count('shared'))
    const { shared, killed } = JSON.parse(place.text)
    expect(shared.count).toBe(killed.count + 1)
    expect(killed.count).toBeGreaterThanOrEqual(writer.done)
    expect(place.names).toEqual(['sessions.json'])
  })
})
