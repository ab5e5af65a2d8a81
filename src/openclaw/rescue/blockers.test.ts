import { describe, expect, it } from 'vitest'
import { agentFacts, healthyFacts, lockOf, sessionsDir } from '../../../test/openclaw/facts.ts'
import type { HomeFacts } from '../survey/facts.ts'
import { findBlockers, type Health, planRescue } from './blockers.ts'

const good: Health = { state: 'good' }
const running = { state: 'running', pid: 7, sinceMs: 0, proof: 'its lock', container: null } as const
const stopped = { state: 'stopped', proof: 'no lock, no process' } as const
const unreadable = { state: 'unreadable', because: 'it is empty', bytes: 0, identity: null } as const
const home = (more: Partial<HomeFacts>) => healthyFacts({ gateway: running, ...more })
const seen = (facts: HomeFacts, health: Health = good) => {
  const blockers = findBlockers(facts, health)
  return { codes: blockers.map(({ code }) => code), plan: planRescue(facts, blockers) }
}

describe('what blocks a bot', () => {
  it('is nothing in a healthy home', () => {
    expect(seen(home({}))).toEqual({ codes: [], plan: { stop: false, start: false } })
  })
  it('is a lock of nobody, which is cleared beside the gateway', () => {
    for (const verdict of ['dead', 'recycled', 'malformed'] as const) {
      expect(seen(home({ agents: [agentFacts({ locks: [lockOf('a', verdict)] })] }))).toEqual({
        codes: ['LOCK_STALE'],
        plan: { stop: false, start: false },
      })
    }
  })
  it('is a holder that lives and is overdue, which only a restart ends', () => {
    const locks = [lockOf('a', 'live', { overdue: true, operation: 'compaction' })]
    const facts = home({ agents: [agentFacts({ locks })] })
    expect(seen(facts)).toEqual({ codes: ['LOCK_WEDGED'], plan: { stop: true, start: true } })
    expect(findBlockers(facts, good)[0]).toMatchObject({
      says: expect.stringContaining('by compaction'),
      sinceMs: facts.nowMs - 3_600_000,
    })
  })
  it('is no holder that keeps to its time', () => {
    expect(seen(home({ agents: [agentFacts({ locks: [lockOf('a', 'live')] })] })).codes).toEqual([])
  })
  it('is told and not acted on where nobody can tell', () => {
    const agents = [agentFacts({ locks: [lockOf('a', 'unknown')] })]
    expect(seen(home({ agents, gateway: { state: 'unknown', because: 'hidden' } }))).toEqual({
      codes: ['LOCK_UNKNOWN'],
      plan: { stop: false, start: false },
    })
  })
  it('is an index that cannot be read, for which the gateway stops', () => {
    const agents = [agentFacts({ index: unreadable })]
    expect(seen(home({ agents }))).toEqual({ codes: ['INDEX_UNREADABLE'], plan: { stop: true, start: true } })
    expect(findBlockers(home({ agents }), good)[0]?.path).toBe(`${sessionsDir}/sessions.json`)
    expect(seen(home({ agents, gateway: { state: 'unknown', because: 'hidden' } })).plan.stop).toBe(false)
  })
  it('is a gateway that is not there, or does not answer', () => {
    expect(seen(home({ gateway: stopped }))).toEqual({ codes: ['GATEWAY_STOPPED'], plan: { stop: false, start: true } })
    expect(seen(home({}), { state: 'bad', because: 'timed out' })).toEqual({
      codes: ['GATEWAY_SILENT'],
      plan: { stop: true, start: true },
    })
    expect(seen(home({}), { state: 'unasked', because: 'no command' }).codes).toEqual([])
  })
  it('is a full disk, to the byte', () => {
    const disk = (freeBytes: number) => ({ freeBytes, totalBytes: 1e9, filesystem: 'ext4', untrusted: false })
    expect(seen(home({ disk: disk(16 * 1024 ** 2 - 1) })).codes).toEqual(['DISK_FULL'])
    expect(seen(home({ disk: disk(16 * 1024 ** 2) })).codes).toEqual([])
  })
})
