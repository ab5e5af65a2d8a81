import { describe, expect, it } from 'vitest'
import { type InterruptedTurn, planExpiry, planRecovery } from './plan.ts'

const turn = (position: number, more: Partial<InterruptedTurn> = {}): InterruptedTurn => ({
  id: `t${position}`,
  position,
  attempts: 1,
  cancelRequested: null,
  ...more,
})

describe('whose leases are expired', () => {
  it('is everybody else, for the exclusive owner of the store', () => {
    expect(planExpiry({ holderIds: ['a', 'me', 'b', 'a'], ownId: 'me', proof: 'exclusive owner' })).toEqual(['a', 'b'])
  })
  it('is nobody without proof', () => {
    expect(planExpiry({ holderIds: ['a', 'me'], ownId: 'me', proof: 'none' })).toEqual([])
  })
})

describe('interrupted turns', () => {
  const plan = (...interrupted: InterruptedTurn[]) => planRecovery({ interrupted, attemptsMax: 3 })

  it('are resumed newest first', () => {
    expect(plan(turn(1), turn(3), turn(2)).map(({ turnId }) => turnId)).toEqual(['t3', 't2', 't1'])
  })
  it('are run again as long as attempts are left, and not once more', () => {
    expect(plan(turn(1, { attempts: 2 }))).toMatchObject([{ kind: 'resume', because: 'attempt 3 of 3' }])
    expect(plan(turn(1, { attempts: 3 }))).toMatchObject([{ kind: 'quarantine', attempts: 3 }])
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
})
