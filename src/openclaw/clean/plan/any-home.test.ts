import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  agentFacts,
  dayMs,
  entryFacts,
  fileOf,
  healthyFacts,
  hourMs,
  lockOf,
  nowMs,
  readIndexOf,
  sessionsDir,
} from '../../../../test/openclaw/facts.ts'
import { factsOfKey } from '../../home/keys.ts'
import { defaultHomePolicy, type HomePolicy } from '../../home/policy.ts'
import type { EntryFacts } from '../../index/facts.ts'
import type { AgentFacts, FileFacts, HomeFacts } from '../../survey/facts.ts'
import type { CleanStep } from '../steps.ts'
import { planClean } from './plan.ts'

const ids = ['a', 'b', 'c', 'd', 'e', 'f']
const archivedAt = (ageMs: number) => new Date(nowMs - ageMs).toISOString().replaceAll(':', '-')

const age = fc.oneof(fc.nat(40 * dayMs), fc.constantFrom(0, 60_000, hourMs, dayMs, 5 * dayMs, 30 * dayMs))
const anyId = fc.constantFrom(...ids)
const key = fc
  .tuple(
    fc.constantFrom(
      'main',
      'telegram:direct:',
      'telegram:group:-',
      'slack:channel:c:thread:',
      'cron:j:run:',
      'cron:',
      'subagent:',
      'hook:',
      'acp:',
      'openai-user:',
    ),
    fc.nat(30),
  )
  .map(([kind, at]) => (kind === 'main' ? 'agent:main:main' : `agent:main:${kind}${at}`))
const entry: fc.Arbitrary<EntryFacts> = fc
  .record({
    key,
    id: anyId,
    ageMs: age,
    status: fc.constantFrom('done', 'running', 'failed', null),
    pinned: fc.nat(12).map((chance) => chance === 0),
    pending: fc.nat(12).map((chance) => chance === 0),
    place: fc.constantFrom('here', 'here', 'here', 'topic', 'elsewhere', 'none'),
    bytes: fc.integer({ min: 200, max: 20_000 }),
  })
  .map(({ key: name, id, ageMs, place, ...more }) => {
    const transcript = place === 'here' ? `${id}.jsonl` : place === 'topic' ? `${id}-topic-7.jsonl` : null
    const elsewhere = place === 'elsewhere' ? '/elsewhere' : null
    return entryFacts(name, id, { ...more, transcript, elsewhere, usedAtMs: ageMs % 7 === 3 ? 0 : nowMs - ageMs })
  })
const file: fc.Arbitrary<FileFacts> = fc
  .record({
    id: fc.constantFrom(...ids, 'x', 'y', 'z'),
    ageMs: age,
    bytes: fc.nat(100_000),
    links: fc.constantFrom(1, 1, 1, 1, 2),
    kind: fc.constantFrom<((id: string, ageMs: number) => string)[]>(
      (id) => `${id}.jsonl`,
      (id) => `${id}.jsonl`,
      (id) => `${id}-topic-7.jsonl`,
      (id, ageMs) => `${id}.jsonl.deleted.${archivedAt(ageMs)}`,
      (id, ageMs) => `${id}.jsonl.reset.${archivedAt(ageMs)}`,
      (id) => `${id}.jsonl.bak`,
      (id) => `${id}.trajectory.jsonl`,
      (id) => `${id}.checkpoint.68998807-2fe8-4249-8cfb-ec5d6b2bbbb9.jsonl`,
      (id) => `${id}.acp-stream.jsonl`,
      (id) => `${id}.jsonl.1.tmp`,
      (id) => `notes-${id}.txt`,
      (_, ageMs) => `sessions.json.bak.${nowMs - ageMs}`,
      () => 'sessions.json.telegram-messages.json',
      () => 'sessions.json',
    ),
  })
  .map(({ id, ageMs, kind, ...more }) => fileOf(kind(id, ageMs), { ...more, mtimeMs: nowMs - ageMs }))
const lock = fc
  .tuple(anyId, fc.constantFrom('live', 'dead', 'recycled', 'malformed', 'unknown') as fc.Arbitrary<'live' | 'dead'>)
  .map(([id, verdict]) => lockOf(id, verdict))
const policy: fc.Arbitrary<HomePolicy> = fc
  .record({
    transcriptIdleMs: fc.constantFrom(hourMs, 5 * dayMs),
    bindingIdleMs: fc.constantFrom(dayMs, 30 * dayMs),
    entriesMax: fc.constantFrom(1, 3, 500),
    cronRunMs: fc.constantFrom(null, dayMs),
    resetMs: fc.constantFrom(null, dayMs),
    leftoverMs: fc.constantFrom(hourMs, dayMs),
    diskBudget: fc.constantFrom(null, { maxBytes: 200_000, lowBytes: 50_000 }),
    resumeAgeMs: fc.constantFrom(hourMs, dayMs),
  })
  .map((rules) => ({ ...defaultHomePolicy, ...rules }))
const gateway: fc.Arbitrary<HomeFacts['gateway']> = fc.constantFrom<HomeFacts['gateway'][]>(
  { state: 'stopped', proof: '' },
  { state: 'stopped', proof: '' },
  { state: 'running', pid: 7, sinceMs: null, proof: '', container: null },
  { state: 'unknown', because: '' },
)

/** The index is as large as its entries. */
function sized(files: readonly FileFacts[], entries: readonly EntryFacts[]): FileFacts[] {
  const bytes = entries.reduce((sum, each) => sum + each.bytes, 2)
  return files.map((each) => (each.name === 'sessions.json' ? { ...each, bytes } : each))
}

const anyHome = fc
  .record({
    entries: fc.uniqueArray(entry, { selector: (each) => each.key, maxLength: 12 }),
    files: fc.uniqueArray(file, { selector: (each) => each.name, maxLength: 20 }),
    locks: fc.uniqueArray(lock, { selector: (each) => each.path, maxLength: 2 }),
    receipt: fc.option(anyId, { freq: 6 }),
    policy,
    gateway,
  })
  .map(({ entries, files, locks, receipt, policy: rules, gateway: found }): HomeFacts => {
    const { home, ...facts } = healthyFacts({ gateway: found })
    const receipts = receipt === null ? [] : [`${sessionsDir}/${receipt}.jsonl`]
    return {
      ...facts,
      home: { ...home, policy: rules, receipts },
      agents: [agentFacts({ index: readIndexOf(entries), files: sized(files, entries), locks })],
    }
  })

function stepsOf(facts: HomeFacts): CleanStep[] {
  return planClean({ facts, parents: new Map(), trustClock: false, throughGateway: false }).steps
}

const entriesOf = ({ agents }: HomeFacts) =>
  agents.flatMap(({ index }) => (index.state === 'read' ? index.entries : []))
const nameOf = ({ path }: { path: string }) => path.slice(path.lastIndexOf('/') + 1)

/** The home after these steps. */
function after(facts: HomeFacts, steps: readonly CleanStep[]): HomeFacts {
  const gone = new Set(steps.filter(({ act }) => act.do === 'take').map(({ path }) => path))
  const cleared = new Set(steps.filter(({ act }) => act.do === 'clear').map(({ path }) => path))
  const dropped = new Set(steps.filter(({ act }) => act.do === 'drop').map(({ key: name }) => name))
  const left = entriesOf(facts).filter((each) => !dropped.has(each.key))
  const [agent] = facts.agents as [AgentFacts]
  const files = sized(
    agent.files.filter(({ name }) => !gone.has(`${sessionsDir}/${name}`)),
    left,
  )
  const locks = agent.locks.filter(({ path }) => !cleared.has(path))
  const index = readIndexOf(left)
  return { ...facts, agents: [{ ...agent, files, locks, index }] }
}

const holds = (what: (facts: HomeFacts) => void) => fc.assert(fc.property(anyHome, what), { numRuns: 1_000 })

it('takes nobody who is protected', () => {
  holds((facts) => {
    const steps = stepsOf(facts)
    const dropped = new Set(steps.filter(({ kind }) => kind === 'drop-entry').map(({ key: name }) => name))
    const taken = new Set(steps.filter(({ act }) => act.do === 'take').map(nameOf))
    const held = facts.agents[0]?.locks.filter(({ verdict }) => verdict === 'live' || verdict === 'unknown') ?? []
    for (const { path } of held) expect(taken).not.toContain(nameOf({ path }).replace('.lock', ''))
    for (const receipt of facts.home.receipts) expect(taken).not.toContain(nameOf({ path: receipt }))
    for (const each of entriesOf(facts)) {
      const isProtected =
        factsOfKey(each.key).standing === 'protected' ||
        each.pinned ||
        each.pending ||
        each.elsewhere !== null ||
        (each.status === 'running' && facts.gateway.state !== 'stopped') ||
        (each.usedAtMs > 0 && nowMs - each.usedAtMs < facts.home.policy.recentMs)
      if (!isProtected) continue
      expect(dropped).not.toContain(each.key)
      if (each.transcript !== null) expect(taken).not.toContain(each.transcript)
    }
    for (const each of facts.agents[0]?.files ?? []) {
      if (each.links > 1 || /^(notes|sessions\.json(\.telegram.*)?$)/.test(each.name))
        expect(taken).not.toContain(each.name)
    }
  })
})

it('never takes an entry without its transcript, nor a transcript without its entry', () => {
  holds((facts) => {
    const steps = stepsOf(facts)
    const dropped = new Set(steps.filter(({ kind }) => kind === 'drop-entry').map(({ key: name }) => name))
    const taken = new Set(steps.filter(({ act }) => act.do === 'take').map(nameOf))
    const there = new Set(facts.agents[0]?.files.map(({ name }) => name))
    for (const { key: name, transcript } of entriesOf(facts)) {
      if (transcript === null || !there.has(transcript)) continue
      expect(taken.has(transcript), `${name} and ${transcript}`).toBe(dropped.has(name))
    }
  })
})

it('takes nothing that the rules do not ask for', () => {
  holds((facts) => {
    const { policy: rules } = facts.home
    const shortestMs = Math.min(
      rules.transcriptIdleMs,
      rules.bindingIdleMs,
      rules.cronRunMs ?? Number.POSITIVE_INFINITY,
    )
    const isOver = entriesOf(facts).length > rules.entriesMax
    const bytes = facts.agents[0]?.files.reduce((sum, each) => sum + each.bytes, 0) ?? 0
    if (isOver || (rules.diskBudget !== null && bytes > rules.diskBudget.maxBytes)) return
    const usedOf = new Map(entriesOf(facts).map((each) => [each.key, each.usedAtMs]))
    for (const { act, key: name, path } of stepsOf(facts)) {
      if (act.do === 'drop') expect(nowMs - (usedOf.get(name ?? '') ?? 0)).toBeGreaterThan(shortestMs)
      if (act.do !== 'take') continue
      const found = facts.agents[0]?.files.find((each) => each.name === nameOf({ path }))
      const limitMs = Math.min(
        shortestMs,
        rules.leftoverMs,
        rules.temporaryMs,
        rules.resetMs ?? Number.POSITIVE_INFINITY,
      )
      expect(nowMs - (found?.mtimeMs ?? nowMs)).toBeGreaterThan(limitMs)
    }
  })
})

it('has nothing left to do when all of it is done, and does nothing twice', () => {
  holds((facts) => {
    const steps = stepsOf(facts)
    expect(new Set(steps.map(({ path, key: name, kind }) => (kind === 'drop-entry' ? name : path))).size).toBe(
      steps.length,
    )
    expect(stepsOf(after(facts, steps))).toEqual([])
  })
})

it('leaves what a gateway may be at', () => {
  holds((facts) => {
    const bound = new Set(entriesOf(facts).flatMap(({ transcript }) => transcript ?? []))
    for (const { kind, path, left } of stepsOf(facts)) {
      const touchesIndex = kind === 'drop-entry' || bound.has(nameOf({ path }))
      if (touchesIndex) expect(left === null).toBe(facts.gateway.state === 'stopped')
    }
  })
})
