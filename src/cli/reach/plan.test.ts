import { describe, expect, it } from 'vitest'
import { type OwnerFacts, type Probe, planReach } from './plan.ts'

const owner: OwnerFacts = { pid: 42, sinceMs: 0, address: 'http://127.0.0.1:4747', socket: '/run/h.sock' }

describe('how a command gets at the data', () => {
  it.each(['read', 'write'] as const)('is through the gateway when it answers: %s', (need) => {
    expect(planReach(need, owner, 'answers')).toEqual({ kind: 'ask the gateway', socket: '/run/h.sock' })
  })
  it('is beside a gateway that does not answer, for reading, and says whose it is', () => {
    expect(planReach('read', owner, 'silent')).toEqual({
      kind: 'read beside the owner',
      note:
        'process 42 (since 1970-01-01 00:00:00Z, http://127.0.0.1:4747) did not answer within 3s; ' +
        'this is read from its files, without it.',
    })
  })
  it('is the same for a check, which is wanted most of all then', () => {
    expect(planReach('check', owner, 'silent')).toEqual(planReach('read', owner, 'silent'))
  })
  it('is refused for writing then', () => {
    expect(planReach('write', owner, 'silent')).toMatchObject({
      kind: 'refuse',
      because: expect.stringContaining('42'),
    })
  })
  it.each([null, owner, { ...owner, socket: null }])('is the store itself when nobody listens', (left) => {
    const probe: Probe = 'nobody'
    expect(planReach('read', left, probe)).toEqual({ kind: 'read alone' })
    expect(planReach('check', left, probe)).toEqual({ kind: 'open the store' })
    expect(planReach('write', left, probe)).toEqual({ kind: 'open the store' })
  })
})
