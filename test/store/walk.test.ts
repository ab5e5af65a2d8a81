import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Store } from '../../src/store/port.ts'
import { holderNamed } from '../../src/testing/contract/scene.ts'
import { plainStore } from '../../src/testing/plain/store.ts'
import { type Step, steps, walk } from './walk.ts'

/** Arrays that are searched anew for everything: a hundred walks take seconds. */
const patienceMs = 60_000

const open = () =>
  plainStore()({
    holder: holderNamed('holder-1'),
    telemetry: { verb: () => {}, commit: () => {}, writable: () => {} },
    atMs: 1,
  })

const walkWith = (broken: (store: Store) => Partial<Store>) =>
  fc.check(
    fc.asyncProperty(steps, async (taken: Step[]) => {
      const store = await open()
      await walk({ ...store, ...broken(store) }, await open(), taken)
    }),
    { numRuns: 100, seed: 7, endOnFailure: true },
  )

it(
  'finds no difference between a plain store and itself',
  async () => {
    expect((await walkWith(() => ({}))).failed).toBe(false)
  },
  patienceMs,
)

it(
  'finds a store that takes a late write, and names the seed',
  async () => {
    const found = await walkWith((store) => ({
      appendEntries: (input) => store.appendEntries(input).catch(() => ({ head: input.head })),
    }))
    expect([found.failed, found.seed]).toEqual([true, 7])
  },
  patienceMs,
)

it(
  'finds a store that forgets a message',
  async () => {
    const found = await walkWith((store) => ({
      admitTurn: (input) =>
        store.admitTurn(JSON.stringify(input).includes('words 3') ? { ...input, messages: [], tokens: [] } : input),
    }))
    expect(found.failed).toBe(true)
  },
  patienceMs,
)
