import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Store } from '../../src/store/port.ts'
import { holderNamed, problemsOf, type StoreGround } from '../../src/testing/contract/scene.ts'
import { plainStore } from '../../src/testing/plain/store.ts'
import { sqliteGround } from './ground.ts'
import { steps, walk } from './walk.ts'

const opening = {
  holder: holderNamed('holder-0'),
  telemetry: { verb: () => {}, commit: () => {}, writable: () => {} },
  atMs: 1,
}

/** Opening a store takes longer than a walk, and the plain model slows down as it fills. */
const walksPerStore = 25

/**
 * Walks in new sessions of a store and of the plain model, which must be in order at the end of each store's life. A
 * failure names the seed and the shortest walk that fails.
 */
export async function walkOnSqlite(numRuns: number, seed: number): Promise<void> {
  let walked = 0
  let found: { ground: StoreGround; store: Store; plain: Store } | null = null
  const close = async () => {
    if (found === null) return
    const { store, ground } = found
    found = null
    try {
      assert.deepEqual(problemsOf(await store.verify({ quick: false, atMs: 1 })), [])
    } finally {
      await store.close()
      await ground.dispose()
    }
  }
  const property = fc.asyncProperty(steps, async (taken) => {
    if (walked % walksPerStore === 0) await close()
    walked += 1
    if (found === null) {
      const ground = await sqliteGround()
      found = { ground, store: await ground.openStore(opening), plain: await plainStore()(opening) }
    }
    try {
      await walk(found.store, found.plain, taken, `w${walked}`)
    } catch (error) {
      await close()
      throw error
    }
  })
  try {
    await fc.assert(property, { numRuns, seed })
  } finally {
    await close()
  }
}
