import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as tick } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { buildHome } from '../../../test/openclaw/build.ts'
import { Ground, unpackFixture } from '../../../test/openclaw/unpack.ts'
import { identityOf } from '../files/identity.ts'
import type { AgentHome } from '../home/home.ts'
import { rawEntry } from './edit.ts'
import type { IndexFacts } from './facts.ts'
import { readIndex, readIndexText } from './read.ts'

const nowMs = Date.now()
const oldMs = nowMs - 3_600_000

function agentAt(dir: string, id = 'main'): AgentHome {
  const sessionsDir = join(dir, 'agents', id, 'sessions')
  return { id, sessionsDir, indexPath: join(sessionsDir, 'sessions.json'), databasePath: null }
}

/** An index with this text, an hour old. */
async function factsOf(text: string | Buffer): Promise<IndexFacts> {
  using ground = new Ground()
  const agent = agentAt(ground.root)
  mkdirSync(agent.sessionsDir, { recursive: true })
  writeFileSync(agent.indexPath, text)
  utimesSync(agent.indexPath, oldMs / 1_000, oldMs / 1_000)
  return await readIndex(agent, ground.root, nowMs)
}

const isRoot = process.geteuid?.() === 0

describe('an index', () => {
  it.each([true, false])(
    'of a real gateway has all its entries, each with its transcript (moved: %s)',
    async (moved) => {
      using ground = new Ground()
      const { dir } = unpackFixture('2026.5.18', ground.root, { moved })
      for (const id of ['main', 'work']) {
        const agent = agentAt(dir, id)
        const { facts, text } = await readIndexText(agent, dir, nowMs)
        if (text === null) throw new Error(JSON.stringify(facts))
        const plain = JSON.parse(text.bytes.toString())
        expect(facts.entries.map(({ key }) => key)).toEqual(Object.keys(plain))
        expect(facts.duplicates).toEqual([])
        expect(facts.identity).toEqual(identityOf(statSync(agent.indexPath, { bigint: true })))
        expect(facts.sha256).toBe(createHash('sha256').update(text.bytes).digest('hex'))
        for (const entry of facts.entries) {
          expect(JSON.parse(rawEntry(text.bytes, text.parsed, entry.key) ?? '')).toEqual(plain[entry.key])
          expect(plain[entry.key].sessionFile.endsWith(`/${entry.transcript}`)).toBe(true)
          expect(statSync(join(agent.sessionsDir, entry.transcript ?? '')).isFile()).toBe(true)
          expect(entry.elsewhere).toBe(moved ? null : `/home/bot/.openclaw/agents/${id}/sessions`)
          expect(entry.unsafe).toBeNull()
          expect(entry.usedAtMs).toBeGreaterThan(Date.parse('2026-11-21'))
        }
        const weightOf = (field: string) =>
          Object.values<Record<string, unknown>>(plain).filter((entry) => entry[field] !== undefined).length
        for (const { field, entries } of facts.fields) expect(entries).toBe(weightOf(field))
        expect(facts.fields[0]?.field).toMatch(/^(skillsSnapshot|systemPromptReport)$/)
      }
    },
  )
  it('of 42 MB, most of it one repeated field, tells which and how much', async () => {
    using ground = new Ground()
    const sessions = Array.from({ length: 1_000 }, (_, at) => ({
      key: `agent:main:telegram:direct:${at}`,
      snapshotBytes: 36_544,
      reportBytes: 4_400,
      transcript: false,
    }))
    const home = buildHome(join(ground.root, 'home'), { nowMs, agents: [{ id: 'main', sessions }] })
    const agent = agentAt(home.dir)
    let turnsOfOthers = 0
    let reading = true
    const others = (async () => {
      while (reading) {
        turnsOfOthers++
        await tick()
      }
    })()
    const { facts, text } = await readIndexText(agent, home.dir, nowMs)
    reading = false
    await others
    if (text === null) throw new Error(JSON.stringify(facts))

    const raw = rawEntry(text.bytes, text.parsed, 'agent:main:telegram:direct:1') ?? ''
    const [snapshot = ''] = /\{\n {6}"version"[\s\S]*?\n {4}\}/.exec(raw) ?? []
    expect(facts.bytes / 1e6).toBeCloseTo(42, 0)
    expect(facts.fields[0]).toEqual({
      field: 'skillsSnapshot',
      entries: 1_000,
      bytes: 1_000 * snapshot.length,
      repeatedBytes: 999 * snapshot.length,
    })
    expect(facts.fields[0]?.bytes).toBeGreaterThan(facts.bytes * 0.86)
    expect(facts.fields[1]).toMatchObject({ field: 'systemPromptReport', entries: 1_000, repeatedBytes: 0 })
    expect(facts.fields.find(({ field }) => field === 'status')).toEqual({
      field: 'status',
      entries: 1_000,
      bytes: 6_000,
      repeatedBytes: 0,
    })
    // it is scanned, read and hashed in slices of half a megabyte: somebody else has a turn after each
    expect(turnsOfOthers).toBeGreaterThan(3 * Math.floor(facts.bytes / 2 ** 19) - 10)
  })
  it('shows the last of a key that stands twice, and says so', async () => {
    const facts = await factsOf('{"a":{"sessionId":"one"},"b":{},"a":{"sessionId":"two"}}')
    expect(facts).toMatchObject({ duplicates: ['a'], entries: [{ key: 'b' }, { key: 'a', sessionId: 'two' }] })
  })
  it('with names like those of an object is one', async () => {
    const facts = await factsOf('{"__proto__":{"__proto__":{"sessionId":"x"},"sessionId":"y"},"toString":{}}')
    expect(facts).toMatchObject({ entries: [{ key: '__proto__', sessionId: 'y' }, { key: 'toString' }] })
  })
  it('is empty only where an empty object says so', async () => {
    expect(await factsOf('{}')).toMatchObject({ state: 'read', entries: [], fields: [] })
  })
  it('is absent where there is none', async () => {
    using ground = new Ground()
    expect(await readIndex(agentAt(ground.root), ground.root, nowMs)).toEqual({ state: 'absent' })
    mkdirSync(agentAt(ground.root).sessionsDir, { recursive: true })
    expect(await readIndex(agentAt(ground.root), ground.root, nowMs)).toEqual({ state: 'absent' })
  })
  it('takes the transcript with the topic in its name where that is there', async () => {
    using ground = new Ground()
    const agent = agentAt(ground.root)
    mkdirSync(agent.sessionsDir, { recursive: true })
    const key = 'agent:main:telegram:group:-1:topic:7'
    writeFileSync(agent.indexPath, JSON.stringify({ [key]: { sessionId: 'abc' } }))
    const transcript = async () => {
      const facts = await readIndex(agent, ground.root, nowMs)
      return facts.state === 'read' ? facts.entries[0]?.transcript : facts
    }
    expect(await transcript()).toBe('abc-topic-7.jsonl')
    writeFileSync(join(agent.sessionsDir, 'abc.jsonl'), '')
    expect(await transcript()).toBe('abc.jsonl')
    writeFileSync(join(agent.sessionsDir, 'abc-topic-7.jsonl'), '')
    expect(await transcript()).toBe('abc-topic-7.jsonl')
  })
})

describe('an index that cannot be read is never an empty one:', () => {
  it.each([
    ['0 bytes', '', 'it is empty (0 bytes)'],
    ['a torn one', '{"a":{"sessionId":"x"},"b":{"ses', 'it ends in the middle, after 32 bytes and 1 entries'],
    ['zeros', Buffer.alloc(4096), 'it holds zeros from byte 0 on, as a power cut leaves them'],
    ['an array', '[]', 'it holds no object at its beginning, at byte 0'],
  ])('%s', async (_, text, because) => {
    expect(await factsOf(text)).toMatchObject({ state: 'unreadable', because, bytes: text.length })
  })

  const odd = async (make: (path: string) => void) => {
    using ground = new Ground()
    const agent = agentAt(ground.root)
    mkdirSync(agent.sessionsDir, { recursive: true })
    make(agent.indexPath)
    return await readIndex(agent, ground.root, nowMs)
  }
  it('a directory', async () => {
    expect(await odd((path) => mkdirSync(path))).toMatchObject({ state: 'unreadable', identity: null })
  })
  it('a pipe', async () => {
    const facts = await odd((path) => execFileSync('mkfifo', [path]))
    expect(facts).toMatchObject({ state: 'unreadable', because: expect.stringContaining('it is a pipe') })
  })
  it('a link out of the home', async () => {
    const facts = await odd((path) => symlinkSync('/etc/hostname', path))
    expect(facts).toMatchObject({ state: 'unreadable', because: expect.stringContaining('it is a link') })
  })
  it('more bytes than any gateway could load, which are not even there', async () => {
    const facts = await odd((path) => {
      writeFileSync(path, '')
      truncateSync(path, 300 * 1024 ** 2)
    })
    expect(facts).toMatchObject({ state: 'unreadable', bytes: 300 * 1024 ** 2 })
    expect(facts).toMatchObject({ because: expect.stringContaining('at most 268435456 are read') })
  })
  it.runIf(isRoot)('one of another user (root only: it becomes somebody who may not)', () => {
    using ground = new Ground()
    const agent = agentAt(ground.root)
    mkdirSync(agent.sessionsDir, { recursive: true })
    writeFileSync(agent.indexPath, '{}', { mode: 0o600 })
    execFileSync('chmod', ['-R', 'o+X', ground.root])
    const program = `import { readIndex } from ${JSON.stringify(new URL('read.ts', import.meta.url).href)}
      const [agent, root] = JSON.parse(process.argv[1])
      console.log(JSON.stringify(await readIndex(agent, root, 0)))`
    const args = [
      '--input-type=module',
      '--conditions=holdfast-source',
      '-e',
      program,
      JSON.stringify([agent, ground.root]),
    ]
    const { stdout, stderr } = spawnSync(process.execPath, args, { uid: 65_534, encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ state: 'unreadable', because: expect.stringContaining('EACCES') })
  })
})

describe('an index in the middle of being written', () => {
  it('is read again when it is young', async () => {
    using ground = new Ground()
    const agent = agentAt(ground.root)
    mkdirSync(agent.sessionsDir, { recursive: true })
    const path = join(ground.root, 'half')
    writeFileSync(path, '{"a":{"sess')
    renameSync(path, agent.indexPath)
    const reading = readIndex(agent, ground.root, Date.now())
    setTimeout(() => writeFileSync(agent.indexPath, '{"a":{"sessionId":"x"}}'), 20)
    expect(await reading).toMatchObject({ state: 'read', entries: [{ sessionId: 'x' }] })
  })
})
