import assert from 'node:assert/strict'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { alice, bob, type PromiseGroup, type Scene, wordsOf } from './scene.ts'

const take = (scene: Scene) => scene.store.claimDelivery({ atMs: scene.nowMs })
const settle = (scene: Scene, id: number, status: 'pending' | 'sent' | 'failed' | 'unknown', nextAttemptAtMs = 0) =>
  scene.store.settleDelivery({ id, status, error: status === 'sent' ? null : 'because', nextAttemptAtMs })

const sentTo = (...deliverTo: string[]) => ({ request: { instructions: [], params: {}, streaming: false, deliverTo } })

/** A whole turn whose reply goes to these targets. */
const answered = async (scene: Scene, key: SessionKey, reply: string | null, deliverTo: string[]) =>
  scene.settle(await scene.begin(key, 'hello', sentTo(...deliverTo)), reply)

const stalled = recordOf(new HoldfastError('TURN_STALLED'))
const usedUp = recordOf(new HoldfastError('TURN_QUARANTINED'))

/** Who is told what: targets with the code of the failure, or null. */
async function toldIn(scene: Scene) {
  const told: (string | null)[][] = []
  for (let delivery = await take(scene); delivery !== null; delivery = await take(scene)) {
    told.push([delivery.target, delivery.outcome?.code ?? null])
  }
  return told
}

export const deliveryPromises: PromiseGroup = {
  'comes with its reply, and its attempt is counted before it is made': async (scene) => {
    assert.equal(await take(scene), null)
    const turn = await answered(scene, alice, 'hi', ['telegram:42'])
    const delivery = await take(scene)
    assert.deepEqual(
      [delivery?.turnId, delivery?.sessionKey, delivery?.target, delivery?.status, delivery?.attempts, delivery?.error],
      [turn.id, alice, 'telegram:42', 'sending', 1, null],
    )
    assert.deepEqual([wordsOf(delivery?.reply ?? []), delivery?.outcome], [['hi'], null])
    assert.equal(await take(scene), null)
  },
  'goes out when a clock was set back by more than any back-off': async (scene) => {
    await answered(scene, alice, 'hi', ['telegram:42'])
    scene.nowMs -= 86_400_000
    assert.equal(await take(scene), null)
    scene.nowMs -= 1
    assert.equal((await take(scene))?.target, 'telegram:42')
  },
  'tells of a failure too, whoever ended the turn': async (scene) => {
    const failed = await scene.begin(alice, 'hello', sentTo('failed'))
    await scene.settle(failed, null, { status: 'failed', outcome: stalled })
    const revoked = await scene.begin(alice, 'hello', sentTo('revoked'))
    const { nowMs: atMs } = scene
    await scene.store.revokeTurn({ turnId: revoked.turn.id, status: 'failed', outcome: stalled, atMs })
    const lost = await scene.begin(alice, 'hello', sentTo('quarantined'))
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs })
    await scene.store.quarantineTurn({ turnId: lost.turn.id, outcome: usedUp, atMs })
    assert.deepEqual(await toldIn(scene), [
      ['failed', 'TURN_STALLED'],
      ['revoked', 'TURN_STALLED'],
      ['quarantined', 'TURN_QUARANTINED'],
    ])
  },
  'is not made of a reply without a word, nor of what was cancelled': async (scene) => {
    await answered(scene, alice, null, ['silent'])
    const cancelled = { status: 'cancelled' as const, outcome: recordOf(new HoldfastError('TURN_CANCELLED')) }
    await scene.settle(await scene.begin(alice, 'hello', sentTo('stopped')), null, cancelled)
    const { turn } = await scene.admit(alice, 'hello', sentTo('waiting'))
    await scene.store.cancelTurn({ turnId: turn.id, reason: 'enough', atMs: scene.nowMs })
    await scene.begin(alice, 'hello', sentTo('reset'))
    await scene.store.resetSession({ key: alice, reason: 'x', atMs: scene.nowMs })
    assert.deepEqual(await toldIn(scene), [])
  },
  'is made for each target, oldest first': async (scene) => {
    await answered(scene, alice, 'hi', ['a', 'b'])
    scene.nowMs += 1
    await answered(scene, bob, 'ho', ['c'])
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
    await answered(scene, alice, 'hi', ['a'])
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
    await answered(scene, alice, 'hi', ['a', 'b', 'c'])
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
    await answered(scene, alice, 'hi', ['a', 'b'])
    await take(scene)
    await scene.reopen()
    assert.equal(await scene.store.markUnknownDeliveries({ atMs: scene.nowMs }), 1)
    assert.equal(await scene.store.markUnknownDeliveries({ atMs: scene.nowMs }), 0)
    assert.equal((await take(scene))?.target, 'b')
    assert.equal(await take(scene), null)
  },
  'of a session that was reset since is made all the same': async (scene) => {
    await answered(scene, alice, 'hi', ['a'])
    await scene.store.resetSession({ key: alice, reason: 'x', atMs: scene.nowMs })
    assert.deepEqual(wordsOf((await take(scene))?.reply ?? []), ['hi'])
  },
}
