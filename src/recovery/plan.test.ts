import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kindOf, parseSessionKey, peopleKinds } from '../model/keys.ts'
import type { SessionProblem } from '../model/starts.ts'
import {
  nameOf,
  planExpiry,
  planRecovery,
  type RecoveryFacts,
  type RecoveryStep,
  type UnfinishedTurn,
  type UnsentDelivery,
} from './plan.ts'

const nowMs = 1_750_000_000_000
const alice = parseSessionKey('alice')
const dayMs = 24 * 3_600_000

const turn = (position: number, more: Partial<UnfinishedTurn> = {}): UnfinishedTurn => ({
  id: `t${position}`,
  position,
  sessionKey: alice,
  attempts: 1,
  handedOver: 0,
  cancelRequested: null,
  admittedAtMs: nowMs - 60_000,
  startedAtMs: nowMs - 50_000,
  progressAtMs: null,
  ...more,
})

const facts = (turns: UnfinishedTurn[], more: Partial<RecoveryFacts> = {}): RecoveryFacts => ({
  turns,
  deliveries: [],
  problems: new Map(),
  resumed: 0,
  offBecause: null,
  attemptsMax: 3,
  deliveryAttemptsMax: 5,
  budget: { ageMaxMs: dayMs, resumesMax: 100 },
  nowMs,
  ...more,
})

const namesOf = (steps: RecoveryStep[]) => steps.map(nameOf)
const idsOf = (steps: RecoveryStep[]) => steps.map(({ turnId }) => turnId)

describe('whose leases are expired', () => {
  it('is everybody else, for the exclusive owner of the store', () => {
    expect(planExpiry({ holderIds: ['a', 'me', 'b', 'a'], ownId: 'me', proof: 'exclusive owner' })).toEqual(['a', 'b'])
  })
  it('is nobody without proof', () => {
    expect(planExpiry({ holderIds: ['a', 'me'], ownId: 'me', proof: 'none' })).toEqual([])
  })
})

describe('interrupted turns', () => {
  const plan = (...turns: UnfinishedTurn[]) => planRecovery(facts(turns))

  it('are resumed newest first, those of people before those of jobs', () => {
    const cron = { sessionKey: parseSessionKey('agent:main:cron:nightly') }
    expect(idsOf(plan(turn(1), turn(4, cron), turn(3), turn(2)))).toEqual(['t3', 't2', 't1', 't4'])
  })
  it('are run again as long as attempts are left, and not once more', () => {
    expect(plan(turn(1, { attempts: 2 }))).toMatchObject([{ kind: 'resume', because: 'attempt 3 of 3' }])
    expect(plan(turn(1, { attempts: 3 }))).toMatchObject([{ kind: 'quarantine', attempts: 3 }])
  })
  it('do not count what a clean end cut short', () => {
    expect(plan(turn(1, { attempts: 9, handedOver: 7 }))).toMatchObject([{ kind: 'resume', because: 'attempt 3 of 3' }])
    expect(plan(turn(1, { attempts: 9, handedOver: 6 }))).toMatchObject([{ kind: 'quarantine', attempts: 3 }])
  })
  it('that were to be cancelled are cancelled, not run', () => {
    expect(plan(turn(1, { cancelRequested: 'enough', attempts: 3 }))).toMatchObject([
      { kind: 'cancel', reason: 'enough' },
    ])
  })
  it('that need no run come first', () => {
    const kinds = plan(turn(1, { attempts: 3 }), turn(2), turn(3, { cancelRequested: 'x' })).map(({ kind }) => kind)
    expect(kinds).toEqual(['cancel', 'quarantine', 'resume'])
  })
  it('are stale a millisecond after their age, counted from the last sign of life', () => {
    const old = { admittedAtMs: nowMs - 9 * dayMs, startedAtMs: nowMs - 8 * dayMs }
    expect(namesOf(plan(turn(1, { ...old, progressAtMs: nowMs - dayMs })))).toEqual(['resume'])
    expect(namesOf(plan(turn(1, { ...old, progressAtMs: nowMs - dayMs - 1 })))).toEqual(['skip stale'])
  })
  it('from the future are young: a clock was set back', () => {
    expect(namesOf(plan(turn(1, { startedAtMs: nowMs + 400 * dayMs })))).toEqual(['resume'])
  })
  it('beyond the budget are skipped, the newest of people are not', () => {
    const budget = { ageMaxMs: dayMs, resumesMax: 3 }
    const steps = planRecovery(facts([turn(1), turn(2), turn(3)], { budget, resumed: 1 }))
    expect(steps.map((step) => [nameOf(step), step.turnId])).toEqual([
      ['skip failed', 't1'],
      ['resume', 't3'],
      ['resume', 't2'],
    ])
    expect(steps[0]?.because).toBe('beyond the 3 resumes of one start')
  })
  it('of a damaged session wait for its repair', () => {
    const problems = new Map([[alice, ['head', 'fence'] as const]])
    expect(planRecovery(facts([turn(1)], { problems }))).toMatchObject([
      { kind: 'repair first', turnId: 't1', because: 'its session is damaged: head, fence' },
    ])
  })
  it('wait while resumes are off, and those that are not to run do not', () => {
    const steps = planRecovery(facts([turn(1), turn(2, { attempts: 3 })], { offBecause: 'crash loop' }))
    expect(steps.map((step) => [nameOf(step), step.because])).toEqual([
      ['quarantine', 'it was interrupted 3 times'],
      ['wait', 'crash loop'],
    ])
  })
})

describe('deliveries', () => {
  it('that wait are tried again, those under way when their process ended never', () => {
    const of = { turnId: 't1', sessionKey: alice, attempts: 1 }
    const deliveries: UnsentDelivery[] = [
      { id: 1, status: 'sending', ...of },
      { id: 2, status: 'pending', ...of },
    ]
    expect(planRecovery(facts([], { deliveries }))).toMatchObject([
      { kind: 'skip delivery', as: 'failed', deliveryId: 1 },
      { kind: 'retry delivery', deliveryId: 2, because: 'attempt 2 of 5' },
    ])
  })
})

describe('over random facts', () => {
  const time = fc.integer({ min: nowMs - 2 * dayMs, max: nowMs + dayMs })
  const keys = ['alice', 'agent:main:cron:x', 'agent:main:subagent:y', 'agent:main:direct:z', 'agent:main:heartbeat']
  const anyTurn = fc.record({
    sessionKey: fc.constantFrom(...keys.map(parseSessionKey)),
    attempts: fc.nat(5),
    handedOver: fc.nat(3),
    cancelRequested: fc.option(fc.constant('enough'), { freq: 5 }),
    admittedAtMs: time,
    startedAtMs: fc.option(time),
    progressAtMs: fc.option(time),
  })
  const anyFacts = fc
    .record({
      turns: fc.array(anyTurn, { maxLength: 40 }),
      damaged: fc.subarray(keys.map(parseSessionKey)),
      resumed: fc.nat(12),
      resumesMax: fc.nat(12),
      ageMaxMs: fc.constantFrom(0, 3_600_000, dayMs),
      offBecause: fc.option(fc.constant('off'), { freq: 5 }),
    })
    .map(({ turns, damaged, resumesMax, ageMaxMs, ...more }) =>
      facts(
        turns.map((each, at) => turn(at + 1, each)),
        {
          ...more,
          budget: { resumesMax, ageMaxMs },
          problems: new Map(damaged.map((key): [typeof key, SessionProblem[]] => [key, ['head']])),
        },
      ),
    )
  const over = (check: (given: RecoveryFacts, steps: RecoveryStep[]) => void) =>
    fc.assert(fc.property(anyFacts, (given) => check(given, planRecovery(given))))
  const of = (given: RecoveryFacts, { turnId }: RecoveryStep) =>
    given.turns.find(({ id }) => id === turnId) as UnfinishedTurn
  const runs = (step: RecoveryStep) => step.kind === 'resume' || step.kind === 'repair first'

  it('every turn is in exactly one step, with a reason', () =>
    over((given, steps) => {
      expect(idsOf(steps).toSorted()).toEqual(given.turns.map(({ id }) => id).toSorted())
      expect(steps.every(({ because }) => because.length > 0)).toBe(true)
    }))
  it('the budget is never exceeded, and never left while something fits it', () =>
    over((given, steps) => {
      const left = Math.max(0, given.budget.resumesMax - given.resumed)
      const taken = steps.filter(runs).length
      expect(taken).toBeLessThanOrEqual(left)
      if (namesOf(steps).includes('skip failed')) expect(taken).toBe(left)
    }))
  it('nothing older is resumed, and nothing that used up its attempts', () =>
    over((given, steps) => {
      for (const step of steps.filter(runs)) {
        const { admittedAtMs, startedAtMs, progressAtMs, attempts, handedOver } = of(given, step)
        const alive = Math.max(admittedAtMs, startedAtMs ?? 0, progressAtMs ?? 0)
        expect(nowMs - alive).toBeLessThanOrEqual(given.budget.ageMaxMs)
        expect(attempts - handedOver).toBeLessThan(given.attemptsMax)
      }
    }))
  it('whatever is resumed is more urgent than what is left out', () =>
    over((given, steps) => {
      const rank = (step: RecoveryStep) => {
        const { sessionKey, position } = of(given, step)
        return (peopleKinds.includes(kindOf(sessionKey)) ? 1_000 : 0) + position
      }
      const order = steps.filter(runs).map(rank)
      expect(order).toEqual(order.toSorted((one, other) => other - one))
      const out = steps.filter((step) => nameOf(step) === 'skip failed').map(rank)
      expect(Math.max(0, ...out)).toBeLessThan(Math.min(1_000_000, ...order))
    }))
})
