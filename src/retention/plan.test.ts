import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dayMs, factsOf, limit, nowMs, policyOf, session, unlimited } from '../../test/retention/facts.ts'
import { parseSessionKey } from '../model/keys.ts'
import type { RetentionFacts, SessionFacts } from '../store/retention.ts'
import { type PlanInput, planRetention, trashKeptMs } from './plan.ts'
import { defaultRetentionPolicy, problemsOfRetention, type RetentionPolicy } from './policy.ts'
import type { FolderFacts } from './steps.ts'

function plan(facts: RetentionFacts, policy: RetentionPolicy, more: Partial<PlanInput> = {}) {
  const input = {
    facts,
    limit,
    folders: [],
    policy,
    nowMs,
    draining: false,
    stayed: new Set<string>(),
    stepsMax: 1_000,
  }
  return planRetention({ ...input, ...more })
}

const taken = (facts: RetentionFacts, policy: RetentionPolicy, more: Partial<PlanInput> = {}) =>
  plan(facts, policy, more).steps.map((step) =>
    step.kind === 'take out'
      ? `${step.key.replace('agent:main:', '')} ${step.cause}`
      : `${step.folder} ${step.kind} ${step.cause}`,
  )

describe('a session', () => {
  it('goes a millisecond after it has been idle for as long as allowed, and not before', () => {
    const at = (idleMs: number) => ({ ...session('a', 0), activeAtMs: nowMs - idleMs })
    const policy = policyOf({ idleMaxMs: 7 * dayMs })
    expect(taken(factsOf([at(7 * dayMs)]), policy)).toEqual([])
    expect(taken(factsOf([at(7 * dayMs + 1)]), policy)).toEqual(['a idle'])
  })
  it('goes by its age, however recently it was used', () => {
    const facts = factsOf([session('old', 1, { ageDays: 31 }), session('new', 1, { ageDays: 29 })])
    expect(taken(facts, policyOf({ ageMaxMs: 30 * dayMs }))).toEqual(['old age'])
  })
  it('goes when there are too many of its kind, the least recently active first, protected ones counted', () => {
    const facts = factsOf([session('a', 3), session('b', 9), session('c', 5)], 2)
    expect(taken(facts, policyOf({ sessionsMax: 3 }))).toEqual(['b count', 'c count'])
    expect(taken(facts, policyOf({ sessionsMax: 0 }))).toEqual(['b count', 'c count', 'a count'])
  })
  it('that goes for another reason makes room for the others', () => {
    const facts = factsOf([session('a', 3), session('b', 9), session('c', 5)])
    expect(taken(facts, policyOf({ sessionsMax: 2, idleMaxMs: 8 * dayMs }))).toEqual(['b idle'])
  })
  it('goes when its kind holds too many entries or bytes', () => {
    const facts = factsOf([session('a', 3), session('b', 9, { entries: 50, bytes: 9_000 }), session('c', 5)])
    expect(taken(facts, policyOf({ entriesMax: 20 }))).toEqual(['b entries'])
    expect(taken(facts, policyOf({ entriesMax: 19 }))).toEqual(['b entries', 'c entries'])
    expect(taken(facts, policyOf({ bytesMax: 1_000 }))).toEqual(['b bytes', 'c bytes'])
  })
  it('goes where the policy of its own kind says', () => {
    const facts = factsOf([session('telegram:direct:1', 400), session('cron:job:run:1', 2), session('main', 4_000)])
    const steps = plan(facts, defaultRetentionPolicy).steps
    expect(steps).toMatchObject([
      { key: 'agent:main:telegram:direct:1', end: 'archive', cause: 'idle' },
      { key: 'agent:main:cron:job:run:1', end: 'trash', cause: 'idle' },
    ])
  })
  it('says why in words', () => {
    const [step] = plan(factsOf([session('a', 9)]), policyOf({ idleMaxMs: 7 * dayMs })).steps
    expect(step?.because).toBe('idle for 9d, the limit is 7d')
  })
  it('that stayed in this sweep is not tried again', () => {
    const facts = factsOf([session('a', 3), session('b', 9)])
    expect(taken(facts, policyOf({ sessionsMax: 1 }), { stayed: new Set(['agent:main:b']) })).toEqual(['a count'])
  })
})

describe('a transcript that a reset has ended', () => {
  const ended = (days: number) => ({
    key: parseSessionKey('a'),
    kind: 'other' as const,
    transcript: 1,
    endedAtMs: nowMs - days * dayMs,
    entries: 3,
  })
  it('goes some time after that reset, and the session stays', () => {
    const facts = factsOf([session('a', 2)], 0, { earlier: [ended(91), ended(89)] })
    const { steps } = plan(facts, policyOf({ earlierMaxMs: 90 * dayMs }))
    expect(steps).toMatchObject([{ kind: 'take out', whole: false, transcripts: [1], cause: 'ended' }])
  })
  it('goes with its session when that goes', () => {
    const facts = factsOf([session('a', 9, { transcripts: [1, 2] })], 0, { earlier: [ended(91)] })
    expect(taken(facts, policyOf({ earlierMaxMs: 90 * dayMs, idleMaxMs: dayMs }))).toEqual(['a idle'])
  })
  it('that may stay does not hide those behind it', () => {
    const earlier = Array.from({ length: limit }, () => ended(91))
    expect(plan(factsOf([], 0, { earlier }), policyOf({}))).toMatchObject({ steps: [], more: true })
  })
})

const folder = (
  name: string,
  place: FolderFacts['place'],
  days: number,
  more: Partial<FolderFacts> = {},
): FolderFacts => ({
  place,
  folder: name,
  sinceMs: nowMs - days * dayMs,
  expiresAtMs: place === 'trash' ? nowMs + (30 - days) * dayMs : null,
  bytes: 1_000,
  transcripts: 5,
  ...more,
})

describe('archives and trash', () => {
  const folders = [
    folder('a1', 'archives', 400),
    folder('a2', 'archives', 10),
    folder('t1', 'trash', 30),
    folder('t2', 'trash', 29),
  ]
  it('are kept for ever and for thirty days', () => {
    expect(taken(factsOf([]), defaultRetentionPolicy, { folders })).toEqual(['t1 delete expired'])
  })
  it('are the trash of tomorrow when they are too old', () => {
    const policy = policyOf({}, { archives: { ageMaxMs: 365 * dayMs, bytesMax: null } })
    expect(taken(factsOf([]), policy, { folders })).toEqual(['t1 delete expired', 'a1 to trash age'])
  })
  it('go to the trash, oldest first, when they are too large', () => {
    const policy = (bytesMax: number) => policyOf({}, { archives: { ageMaxMs: null, bytesMax } })
    expect(taken(factsOf([]), policy(2_000), { folders: folders.slice(0, 2) })).toEqual([])
    expect(taken(factsOf([]), policy(1_999), { folders: folders.slice(0, 2) })).toEqual(['a1 to trash bytes'])
  })
  it('leave a record, which goes as trash does', () => {
    const empty = [folder('e1', 'archives', 31, { transcripts: 0 }), folder('e2', 'trash', 29, { transcripts: 0 })]
    expect(taken(factsOf([]), policyOf({}), { folders: empty })).toEqual(['e1 forget empty'])
  })
})

describe('a disk budget', () => {
  const disk = { budgetBytes: 10_000, highShare: 0.9, lowShare: 0.5 }
  const policy = policyOf({}, { disk })
  const withDatabase = (database: number, sessions: SessionFacts[] = [], free = 0) =>
    factsOf(sessions, 0, { bytes: { database, free, log: 0, diskFree: 0 } })
  const sessions = [
    session('a', 3),
    session('b', 9, { bytes: 4_000 }),
    session('telegram:direct:1', 5, { bytes: 4_000 }),
  ]

  it('asks for nothing up to its high mark, free pages not counted', () => {
    expect(taken(withDatabase(9_000, sessions), policy)).toEqual([])
    expect(taken(withDatabase(10_000, sessions, 1_000), policy)).toEqual([])
  })
  it('asks for sessions of all kinds, least recently active first, until the low mark', () => {
    expect(taken(withDatabase(9_001, sessions), policy)).toEqual(['b disk', 'telegram:direct:1 disk'])
  })
  it('goes on to the low mark in the next round', () => {
    expect(taken(withDatabase(6_000, sessions), policy)).toEqual([])
    expect(taken(withDatabase(6_000, sessions), policy, { draining: true })).toEqual(['b disk'])
  })
  it('empties the trash before it touches a session, but for what came there within a day', () => {
    const folders = [folder('t1', 'trash', 5, { bytes: 3_000 }), folder('t0', 'trash', 0, { bytes: 3_000 })]
    const fresh = { ...folder('t2', 'trash', 0, { bytes: 3_000 }), sinceMs: nowMs - trashKeptMs + 1 }
    expect(taken(withDatabase(1_000, sessions), policy, { folders: [...folders, fresh] })).toEqual([
      't1 delete disk',
      'b disk',
    ])
  })
  it('never deletes archives, and says that it cannot be met', () => {
    const folders = [folder('a1', 'archives', 400, { bytes: 20_000 })]
    const { steps, overBudget } = plan(withDatabase(1_000), policy, { folders })
    expect(steps).toEqual([])
    expect(overBudget).toMatchObject({ usedBytes: 21_000, archivesBytes: 20_000 })
    expect(overBudget?.because).toContain('nothing more may go')
  })
  it('takes nothing from anybody where archives alone are over its low mark', () => {
    const folders = [folder('a1', 'archives', 400, { bytes: 5_001 })]
    expect(plan(withDatabase(9_000, sessions), policy, { folders })).toMatchObject({
      steps: [],
      overBudget: { usedBytes: 14_001 },
    })
    const less = [folder('a1', 'archives', 400, { bytes: 4_999 })]
    expect(taken(withDatabase(9_000, sessions), policy, { folders: less })).toEqual(['b disk'])
  })
})

it('a round has a bounded number of steps and says that there are more', () => {
  const facts = factsOf([session('a', 3), session('b', 9), session('c', 5)])
  expect(plan(facts, policyOf({ idleMaxMs: dayMs }), { stepsMax: 2 })).toMatchObject({
    steps: { length: 2 },
    more: true,
  })
})

describe('for any store and policy', () => {
  const sessions = fc.array(
    fc.record({
      kind: fc.constantFrom('x', 'telegram:direct', 'cron:j:run'),
      idleDays: fc.nat(500),
      ageDays: fc.nat(900),
      entries: fc.nat(99),
      bytes: fc.nat(9_999),
    }),
    { maxLength: 40 },
  )
  const orNull = (max: number) => fc.option(fc.nat(max), { nil: null })
  const limits = fc.record({
    idleMaxMs: orNull(400 * dayMs).map((ms) => ms && ms + 1),
    ageMaxMs: orNull(400 * dayMs).map((ms) => ms && ms + 1),
    sessionsMax: orNull(40),
    entriesMax: orNull(900),
    bytesMax: orNull(90_000),
  })
  const made = (found: { kind: string; idleDays: number; ageDays: number; entries: number; bytes: number }[]) =>
    found.map(({ kind, idleDays, ageDays, entries, bytes }, at) =>
      session(`${kind}:${at}`, idleDays, { ageDays: idleDays + ageDays, entries, bytes }),
    )

  it('nothing goes twice, nothing unknown goes, and afterwards every limit holds', () => {
    fc.assert(
      fc.property(sessions, limits, (found, kind) => {
        const policy = policyOf({ ...kind, idleMaxMs: kind.idleMaxMs || null, ageMaxMs: kind.ageMaxMs || null })
        expect(problemsOfRetention(policy)).toEqual([])
        const all = made(found)
        const { steps } = plan(factsOf(all), policy)
        const keys = steps.map((step) => (step.kind === 'take out' ? step.key : ''))
        expect(new Set(keys).size).toBe(keys.length)
        const left = all.filter(({ key }) => !keys.includes(key))
        expect(all.length - left.length).toBe(keys.length)
        expect(plan(factsOf(left), policy).steps).toEqual([])
      }),
    )
  })
})

it('a policy that makes no sense is refused with the name of its key', () => {
  const bad = {
    ...policyOf({ idleMaxMs: -1, entriesMax: Number.MAX_SAFE_INTEGER + 2, end: 'nowhere' as never }),
    disk: { budgetBytes: 0, highShare: 0.5, lowShare: 0.9 },
  }
  const strange = { ...bad, kinds: { ...bad.kinds, tree: unlimited } as never, mode: 'maybe' as never, everyMs: 1 }
  const keys = problemsOfRetention(strange).map((problem) => problem.split(':')[0])
  for (const key of [
    'mode',
    'every',
    'kinds.main.idle',
    'kinds.main.entries',
    'kinds.main.end',
    'kinds.tree',
    'disk.budget',
    'disk.low',
  ]) {
    expect(keys).toContain(`retention.${key}`)
  }
})
