import { describe, expect, it } from 'vitest'
import { isBelieved, type Wedged } from './wedged.ts'

const process = { host: 'h', bootId: 'b', pidNamespace: 'n', pid: 7, startTicks: 9, sinceMs: 1_000 }
const wedged: Wedged = { process, sinceMs: 5_000, running: [], more: 0 }
const owner = { pid: 7, sinceMs: 1_000 }

describe('a note of a wedged event loop', () => {
  it('is believed of the owner while it runs, and where that cannot be seen', () => {
    expect([isBelieved(wedged, owner, 'runs'), isBelieved(wedged, owner, 'cannot be seen')]).toEqual([true, true])
  })
  it.each([
    ['has ended', owner, 'has ended'],
    ['is not the owner', { pid: 8, sinceMs: 1_000 }, 'runs'],
    ['had the number of the owner before it', { pid: 7, sinceMs: 2_000 }, 'runs'],
    ['owns nothing any more', null, 'runs'],
  ] as const)('is not believed of a process that %s', (_, found, state) => {
    expect(isBelieved(wedged, found, state)).toBe(false)
  })
})
