import fc from 'fast-check'
import { expect, it } from 'vitest'
import { dayMs, factsOf, limit, nowMs, policyOf, session } from '../../test/retention/facts.ts'
import type { RetentionFacts } from '../store/retention.ts'
import { anchorClock, type ClockReading, judgeClock, observeClock } from './clock.ts'
import { planRetention } from './plan.ts'
import type { RetentionPolicy } from './policy.ts'
import type { FolderFacts } from './steps.ts'

const hourMs = 3_600_000

/** What goes when the clock shows this. */
function goesAt(shownMs: number, facts: RetentionFacts, folders: FolderFacts[], policy: RetentionPolicy): string[] {
  const { steps } = planRetention({
    facts,
    limit,
    folders,
    policy,
    nowMs: shownMs,
    draining: false,
    stayed: new Set(),
    stepsMax: 1_000,
  })
  return steps.map((step) => (step.kind === 'take out' ? step.key : `${step.folder} ${step.kind}`))
}

/** The same, when the clock has jumped before the start, or while the process ran, and the guard is asked first. */
function goesGuarded(
  jumpMs: number,
  jumpsAtStart: boolean,
  ...given: [RetentionFacts, FolderFacts[], RetentionPolicy]
): string[] {
  const [{ clock }] = given
  const start: ClockReading = { wallMs: nowMs - hourMs + (jumpsAtStart ? jumpMs : 0), steadyMs: 0 }
  const reading: ClockReading = { wallMs: nowMs + jumpMs, steadyMs: hourMs }
  const anchor = observeClock(anchorClock(start, clock), reading)
  return judgeClock(anchor, reading, clock).kind === 'sane' ? goesAt(reading.wallMs, ...given) : []
}

const stores = fc.record({
  sessions: fc.array(fc.record({ idleDays: fc.nat(500), ageDays: fc.nat(900) }), { maxLength: 20 }),
  trashDays: fc.array(fc.nat(29), { maxLength: 5 }),
  idleMaxDays: fc.integer({ min: 1, max: 400 }),
  sessionsMax: fc.option(fc.nat(20), { nil: null }),
})

function storeOf({
  sessions,
  trashDays,
  idleMaxDays,
  sessionsMax,
}: typeof stores extends fc.Arbitrary<infer T> ? T : never) {
  const found = sessions.map(({ idleDays, ageDays }, at) =>
    session(`s${at}`, idleDays, { ageDays: idleDays + ageDays }),
  )
  const folders = trashDays.map((days, at): FolderFacts => {
    const sinceMs = nowMs - days * dayMs
    const expiresAtMs = sinceMs + 30 * dayMs
    return { place: 'trash', folder: `f${at}`, sinceMs, expiresAtMs, bytes: 1, transcripts: 1 }
  })
  const clock = { newestMs: nowMs - 2 * hourMs, notedMs: nowMs - 3 * hourMs }
  const policy = policyOf({ idleMaxMs: idleMaxDays * dayMs, ageMaxMs: 2 * idleMaxDays * dayMs, sessionsMax })
  return [factsOf(found, 0, { clock }), folders, policy] as const
}

const jumps = fc.oneof(
  fc.integer({ min: -3_650 * dayMs, max: -3 * hourMs }),
  fc.integer({ min: 80 * hourMs, max: 3_650 * dayMs }),
  fc.constant(365 * dayMs),
)

it('whatever way a clock jumps, nothing goes that a sane one would keep', () => {
  let unguarded = 0
  fc.assert(
    fc.property(stores, jumps, fc.boolean(), (made, jumpMs, atStart) => {
      const [facts, folders, policy] = storeOf(made)
      const sane = goesAt(nowMs, facts, folders, policy)
      const guarded = goesGuarded(jumpMs, atStart, facts, folders, policy)
      expect(guarded.filter((name) => !sane.includes(name))).toEqual([])
      unguarded += goesAt(nowMs + jumpMs, facts, folders, policy).filter((name) => !sane.includes(name)).length
    }),
    { numRuns: 500 },
  )
  expect(unguarded, 'without the guard some would go').toBeGreaterThan(0)
})

it('a clock that has not jumped is not held up', () => {
  fc.assert(
    fc.property(stores, (made) => {
      const [facts, folders, policy] = storeOf(made)
      expect(goesGuarded(0, false, facts, folders, policy)).toEqual(goesAt(nowMs, facts, folders, policy))
    }),
  )
})
