import assert from 'node:assert/strict'
import { alice, bob, type PromiseGroup, type Scene, wordsOf } from './scene.ts'

const take = (scene: Scene) => scene.store.claimDelivery({ atMs: scene.nowMs })
const settle = (scene: Scene, id: number, status: 'pending' | 'sent' | 'failed' | 'unknown', nextAttemptAtMs = 0) =>
  scene.store.settleDelivery({ id, status, error: status === 'sent' ? null : 'because', nextAttemptAtMs })

export const deliveryPromises: PromiseGroup = {
  'comes with its reply, and its attempt is counted before it is made': async (scene) => {
    assert.equal(await take(scene), null)
    const turn = await scene.say(alice, 'hello', 'hi', { deliverTo: ['telegram:42'] })
    const delivery = await take(scene)
    assert.deepEqual(
      [delivery?.turnId, delivery?.sessionKey, delivery?.target, delivery?.status, delivery?.attempts, delivery?.error],
      [turn.id, alice, 'telegram:42', 'sending', 1, null],
    )
    assert.deepEqual(wordsOf(delivery?.reply ?? []), ['hi'])
    assert.equal(await take(scene), null)
  },
  'is made for each target, oldest first': async (scene) => {
    await scene.say(alice, 'hello', 'hi', { deliverTo: ['a', 'b'] })
    scene.nowMs += 1
    await scene.say(bob, 'hello', 'ho', { deliverTo: ['c'] })
    const targets = [await take(scene), await take(scene), await take(scene), await take(scene)]
    assert.deepEqual(
      targets.map((delivery) => delivery?.target),
      ['a', 'b', 'c', undefined],
    )
  },
  'is not made where nobody is to be told': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    assert.equal(await take(scene), null)
  },
  'that was refused is tried again at its time, and not a millisecond before': async (scene) => {
    await scene.say(alice, 'hello', 'hi', { deliverTo: ['a'] })
    const first = await take(scene)
    const dueMs = scene.nowMs + 1_000
    await settle(scene, first?.id as number, 'pending', dueMs)
    scene.nowMs = dueMs - 1
    assert.equal(await take(scene), null)
    scene.nowMs = dueMs
    const second = await take(scene)
    assert.deepEqual([second?.id, second?.attempts, second?.error], [first?.id, 2, 'because'])
  },
  'that has ended is never claimed again': async (scene) => {
    await scene.say(alice, 'hello', 'hi', { deliverTo: ['a', 'b', 'c'] })
    for (const status of ['sent', 'failed', 'unknown'] as const) {
      const delivery = await take(scene)
      await settle(scene, delivery?.id as number, status)
      await settle(scene, delivery?.id as number, status)
    }
    scene.nowMs += 1_000_000
    assert.equal(await take(scene), null)
    assert.equal(await scene.store.markUnknownDeliveries({ atMs: scene.nowMs }), 0)
  },
  'that was on its way when its process ended is unknown, and is not repeated': async (scene) => {
    await scene.say(alice, 'hello', 'hi', { deliverTo: ['a', 'b'] })
    await take(scene)
    await scene.reopen()
    assert.equal(await scene.store.markUnknownDeliveries({ atMs: scene.nowMs }), 1)
    assert.equal(await scene.store.markUnknownDeliveries({ atMs: scene.nowMs }), 0)
    assert.equal((await take(scene))?.target, 'b')
    assert.equal(await take(scene), null)
  },
  'of a session that was reset since is made all the same': async (scene) => {
    await scene.say(alice, 'hello', 'hi', { deliverTo: ['a'] })
    await scene.store.resetSession({ key: alice, reason: 'x', atMs: scene.nowMs })
    assert.deepEqual(wordsOf((await take(scene))?.reply ?? []), ['hi'])
  },
}
