import { describe, expect, it } from 'vitest'
import type { Lease } from '../model/holders.ts'
import { parseSessionKey } from '../model/keys.ts'
import type { Turn } from '../model/turns.ts'
import { composeWhy, type WhyFacts } from './why.ts'

const nowMs = 1_000_000
const turn = (more: Partial<Turn> = {}): Turn =>
  ({
    id: 't',
    status: 'queued',
    lane: 'main',
    source: 'api',
    admittedAtMs: nowMs - 500,
    cancelRequested: null,
    attempts: 1,
    ...more,
  }) as Turn
const lease = {
  sessionKey: parseSessionKey('alice'),
  turnId: 'r',
  operation: 'turn',
  takenAtMs: nowMs - 9_000,
  progressAtMs: nowMs - 4_000,
  progressNote: 'asking',
} as unknown as Lease
const running = turn({ id: 'r', status: 'running' })
const why = (more: Partial<WhyFacts> = {}) =>
  composeWhy({
    session: {} as WhyFacts['session'],
    lease: null,
    running: null,
    progress: null,
    waiting: [],
    queue: { waiting: 0, oldestAtMs: null, aheadInLane: 0 },
    laneIsFull: () => false,
    compaction: { state: 'idle', sinceMs: null, failuresInARow: 0, lastOutcome: null },
    store: { writable: true, because: null },
    limits: { timeLimitMs: 600_000, stallLimitMs: 120_000, stuckAfterMs: 60_000 },
    mode: 'running',
    resumes: { because: null, onInMs: null },
    resetBecause: null,
    nowMs,
    ...more,
  })

describe('the report on a session', () => {
  it('counts how long each turn waited', () => expect(why({ waiting: [turn()] }).waiting[0]?.waitedMs).toBe(500))
  it('names the session for those behind the first, and the lane for the first', () => {
    const causes = why({ waiting: [turn(), turn({ id: 'u' })] }).waiting.map(({ cause }) => cause)
    expect(causes).toEqual(['lane', 'session'])
  })
  it('names the lease when another process has the session, and the session when this one has', () => {
    expect(why({ lease, running, waiting: [turn()] }).waiting[0]?.cause).toBe('lease')
    const progress = { sinceMs: nowMs, atMs: nowMs, note: 'here', stuck: false }
    expect(why({ lease, running, progress, waiting: [turn()] }).waiting[0]?.cause).toBe('session')
  })
  it('says why an interrupted turn is not resumed, and what runs it', () => {
    const waiting = [turn({ status: 'interrupted' })]
    const next = (because: string | null, onInMs: number | null) => why({ waiting, resumes: { because, onInMs } }).next
    expect(next(null, null)).toContain('when it is its turn to be resumed')
    expect(next('crash loop: 3 starts', 60_000)).toMatch(
      /off: crash loop: 3 starts\. .* in 1m\. `holdfast recover --run`/,
    )
    expect(next('`recovery.enabled` is false', null)).not.toContain('by themselves')
  })
  it('says that the next message begins a new transcript', () => {
    expect(why().next).toBe('Nothing waits; the next message starts at once.')
    expect(why({ resetBecause: 'idle for more than 1h' }).next).toContain('in a new transcript (idle for more than 1h)')
  })
  it('names the disk before all else', () => {
    const report = why({ lease, running, waiting: [turn()], store: { writable: false, because: null } })
    expect(report.waiting[0]?.cause).toBe('disk')
    expect(report.next).toContain('cannot write')
  })
  it('names the recovery for what was interrupted', () => {
    expect(why({ waiting: [turn({ status: 'interrupted' })] }).waiting[0]?.cause).toBe('recovery')
    expect(why({ waiting: [turn({ lane: 'resume' })] }).waiting[0]?.cause).toBe('recovery')
  })
  it('tells how long the queue is, and what stands before it in its lane', () => {
    const { queue } = why({ queue: { waiting: 120, oldestAtMs: nowMs - 9_000, aheadInLane: 7 } })
    expect(queue).toEqual({ waiting: 120, oldestWaitMs: 9_000, aheadInLane: 7 })
  })
  it('calls stuck what the process that runs it does, and else what the lease shows no progress of', () => {
    const here = (stuck: boolean) => ({ sinceMs: nowMs, atMs: nowMs, note: '', stuck })
    expect(why({ lease, running, progress: here(true) }).running?.stuck).toBe(true)
    expect(why({ lease, running, progress: here(false) }).running?.stuck).toBe(false)
    expect(why({ lease, running }).running?.stuck).toBe(false)
    expect(why({ lease, running, nowMs: nowMs + 56_000 }).running?.stuck).toBe(true)
  })
  it('takes what the lease says of a turn that runs elsewhere', () => {
    expect(why({ lease, running }).running).toMatchObject({ sinceMs: nowMs - 9_000, lastProgressNote: 'asking' })
  })
  it.each<[string, Partial<WhyFacts>, string]>([
    ['a stall', { lease, running }, 'without progress it is stopped in 1m 56s.'],
    [
      'the time limit',
      { lease, running, limits: { timeLimitMs: 60_000, stallLimitMs: 60_000, stuckAfterMs: 60_000 } },
      'time limit in 51s.',
    ],
    ['a cancellation', { lease, running: { ...running, cancelRequested: 'x' } }, 'told to stop'],
    ['a shutdown', { lease, running, mode: 'closing' }, 'is closing'],
    ['a shutdown with turns that wait', { waiting: [turn()], mode: 'closing' }, 'at the next start'],
    ['a full lane', { waiting: [turn()], laneIsFull: () => true }, 'lane "main"'],
    ['an interrupted turn', { waiting: [turn({ status: 'interrupted' })] }, 'resumed'],
    ['a free session', {}, 'next message starts at once'],
    ['a turn that can start', { waiting: [turn()] }, 'starts at once'],
  ])('says what comes next: %s', (_, facts, next) => expect(why(facts).next).toContain(next))
})
