/**
 * What every adapter of the store's port must do, as tests. They bind to no test framework: `describe` and `it` are
 * passed in and assertions are Node's own, so that an adapter outside this repository can run them under vitest, jest or
 * `node --test` without a second framework as our peer dependency. Each test has a ground of its own; after
 * each, the store's own `verify` must find nothing.
 */

import assert from 'node:assert/strict'
import { contextPromises } from './context.ts'
import { deliveryPromises } from './deliveries.ts'
import { entryPromises } from './entries.ts'
import { holderPromises } from './holders.ts'
import { jobPromises } from './jobs.ts'
import { leasePromises } from './leases.ts'
import { recoveryPromises } from './recovery.ts'
import { factPromises } from './retention/facts.ts'
import { leavePromises } from './retention/leave.ts'
import { returnPromises } from './retention/return.ts'
import { type PromiseGroup, problemsOf, Scene, type StoreGround } from './scene.ts'
import { sessionPromises } from './sessions.ts'
import { summaryPromises } from './summaries.ts'
import { admitPromises } from './turns/admit.ts'
import { anewPromises } from './turns/anew.ts'
import { claimPromises } from './turns/claim.ts'
import { lanePromises } from './turns/lanes.ts'
import { readPromises } from './turns/read.ts'
import { settlePromises } from './turns/settle.ts'
import { stopPromises } from './turns/stop.ts'
import { upkeepPromises } from './upkeep.ts'
import { waitPromises } from './waits.ts'

export interface TestFrame {
  describe(name: string, body: () => void): void
  it(name: string, body: () => Promise<void>): void
}

const groups: Record<string, PromiseGroup> = {
  'a session': sessionPromises,
  'an entry': entryPromises,
  'the context': contextPromises,
  'an admission': admitPromises,
  'an admission to a transcript that is over': anewPromises,
  'a claim': claimPromises,
  'the lane rules': lanePromises,
  'the end of a turn': settlePromises,
  'a turn that is stopped': stopPromises,
  'a turn that is read': readPromises,
  'a lease': leasePromises,
  'a holder': holderPromises,
  'a wait': waitPromises,
  recovery: recoveryPromises,
  'a summary': summaryPromises,
  'a delivery': deliveryPromises,
  'a job': jobPromises,
  'the facts of retention': factPromises,
  'a transcript that is taken out': leavePromises,
  'a transcript that is put back': returnPromises,
  'the store': upkeepPromises,
}

/** Registers the whole contract. `newGround` gives fresh, empty data each time. */
export function storeContract(name: string, newGround: () => Promise<StoreGround>, frame: TestFrame): void {
  frame.describe(`the store's contract on ${name}`, () => {
    for (const [group, promises] of Object.entries(groups)) {
      frame.describe(group, () => {
        for (const [promise, prove] of Object.entries(promises)) {
          frame.it(promise, () => onNewGround(newGround, prove))
        }
      })
    }
  })
}

async function onNewGround(newGround: () => Promise<StoreGround>, prove: (scene: Scene) => Promise<void>) {
  const ground = await newGround()
  try {
    const scene = await Scene.open(ground)
    try {
      await prove(scene)
      assert.deepEqual(problemsOf(await scene.store.verify({ quick: false, atMs: scene.nowMs })), [])
    } finally {
      await scene.store.close()
    }
  } finally {
    await ground.dispose()
  }
}
