import assert from 'node:assert/strict'
import type { Entry } from '../../src/model/entries.ts'
import { alice, bob, problemsOf, Scene } from '../../src/testing/contract/scene.ts'
import { chanceFrom } from '../power/chance.ts'
import { sqliteGround } from './ground.ts'
import { faultsIn, mixedTurnsIn } from './history.ts'
import { stallAtRandom } from './holders.ts'

const keys = [alice, bob]

/** Lets two holders stall at random, and fails where one wrote after it was taken for dead. Gives the number of refusals. */
export async function stallOnSqlite(seed: number, actions: number): Promise<number> {
  const ground = await sqliteGround()
  const scene = await Scene.open(ground)
  try {
    for (const key of keys) await scene.store.openSession({ key, atMs: scene.nowMs })
    const events = await stallAtRandom(scene, keys, chanceFrom(seed), actions)
    for (const key of keys) {
      const entries: Entry[] = []
      const { transcript } = await scene.session(key)
      for (let number = 1; number <= transcript; number += 1) entries.push(...(await scene.entries(key, number)))
      assert.deepEqual([faultsIn(key, events, entries), mixedTurnsIn(entries)], [[], []], `seed ${seed}, ${key}`)
    }
    const refused = events.filter(({ kind }) => kind === 'refused').length
    assert.equal((await scene.store.statistics()).fencedWrites, refused, `seed ${seed}`)
    assert.deepEqual(problemsOf(await scene.store.verify({ quick: false, atMs: scene.nowMs })), [], `seed ${seed}`)
    return refused
  } finally {
    await scene.store.close()
    await ground.dispose()
  }
}
