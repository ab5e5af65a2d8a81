import assert from 'node:assert/strict'
import { HoldfastError, recordOf } from '../../../model/errors.ts'
import { alice, bob, type PromiseGroup, penOf, refused, wordsOf } from '../scene.ts'

export const settlePromises: PromiseGroup = {
  'stores the reply, the outcome, the usage and frees the session, in one step': async (scene) => {
    const claim = await scene.begin(alice, 'hello')
    scene.nowMs += 40
    const usage = { promptTokens: 5, completionTokens: 2, totalTokens: 7 }
    const turn = await scene.settle(claim, 'hi', { usage, meterRatio: 1.5 })
    assert.deepEqual(
      [turn.status, turn.outcome, turn.finishReason, turn.usage, turn.settledAtMs],
      ['done', null, 'stop', usage, scene.nowMs],
    )
    assert.deepEqual([turn.transcript, turn.replyFromSeq, turn.replyToSeq], [1, 2, 2])
    assert.deepEqual(await scene.turn(turn.id), turn)
    const session = await scene.session(alice)
    assert.deepEqual([session.running, session.head, session.meterRatio, session.contextTokens], [false, 2, 1.5, 7])
    assert.deepEqual(await scene.store.listLeases(), [])
  },
  'includes what was appended on the way in the reply': async (scene) => {
    const claim = await scene.begin(alice, 'hello')
    const pen = await scene.append(penOf(claim), 'calling', 'more')
    const turn = await scene.store.settleTurn(
      scene.settling(pen, null, { entries: [scene.entry('answer'), scene.entry('and more')] }),
    )
    assert.deepEqual([turn.replyFromSeq, turn.replyToSeq], [2, 5])
    const detail = await scene.store.readTurn(turn.id)
    assert.deepEqual(wordsOf(detail?.reply ?? []), ['calling', 'more', 'answer', 'and more'])
  },
  'keeps a failure with its code': async (scene) => {
    const outcome = recordOf(new HoldfastError('MODEL_TIMEOUT', { afterMs: 90 }, { retryAfterMs: 5 }))
    const claim = await scene.begin(alice, 'hello')
    const turn = await scene.settle(claim, null, { status: 'failed', outcome, finishReason: null })
    assert.deepEqual([turn.status, turn.outcome, turn.replyFromSeq, turn.replyToSeq], ['failed', outcome, null, null])
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hello'])
    const partly = await scene.settle(await scene.begin(alice, 'more'), 'half an answer', { status: 'failed', outcome })
    assert.deepEqual([partly.replyFromSeq, (await scene.store.readTurn(partly.id))?.reply], [null, []])
  },
  'that is told twice is told once': async (scene) => {
    const request = { instructions: [], params: {}, streaming: false, deliverTo: ['telegram:1'] }
    const claim = await scene.begin(alice, 'hello', { request })
    const settling = scene.settling(penOf(claim), 'hi')
    const turn = await scene.store.settleTurn(settling)
    assert.deepEqual(await scene.store.settleTurn(settling), turn)
    const later = await scene.begin(alice, 'more')
    assert.deepEqual(await scene.store.settleTurn(settling), turn)
    await scene.settle(later, 'ok')
    assert.deepEqual(await scene.store.settleTurn(settling), turn)
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hello', 'hi', 'more', 'ok'])
    assert.notEqual(await scene.store.claimDelivery({ atMs: scene.nowMs }), null)
    assert.equal(await scene.store.claimDelivery({ atMs: scene.nowMs }), null)
  },
  'is refused to who is not its holder, and nothing of it is written': async (scene) => {
    const claim = await scene.begin(alice, 'hello')
    const pen = penOf(claim)
    await refused('FENCED', scene.store.settleTurn(scene.settling({ ...pen, fence: pen.fence - 1 }, 'old')))
    await refused('FENCED', scene.store.settleTurn(scene.settling({ ...pen, fence: pen.fence + 1 }, 'future')))
    await refused('HEAD_MOVED', scene.store.settleTurn(scene.settling({ ...pen, head: 0 }, 'low')))
    await refused('HEAD_MOVED', scene.store.settleTurn(scene.settling({ ...pen, head: 9 }, null)))
    assert.deepEqual([(await scene.turn(pen.turnId)).status, (await scene.session(alice)).head], ['running', 1])
    assert.equal((await scene.store.listLeases()).length, 1)
    assert.equal((await scene.store.statistics()).fencedWrites, 2)
    await scene.settle(claim, 'hi')
  },
  'makes the next turn of the session ready, and no other': async (scene) => {
    const claim = await scene.begin(alice, 'one')
    const second = await scene.admit(alice, 'two')
    const third = await scene.admit(alice, 'three')
    await scene.settle(claim, 'done')
    assert.equal((await scene.turn(second.turn.id)).readyAtMs, scene.nowMs)
    assert.equal((await scene.turn(third.turn.id)).readyAtMs, null)
  },
  'leaves the lease of another session alone': async (scene) => {
    const claim = await scene.begin(alice, 'one')
    const other = await scene.begin(bob, 'two')
    await scene.settle(claim, 'done')
    assert.deepEqual(
      (await scene.store.listLeases()).map(({ sessionKey }) => sessionKey),
      [bob],
    )
    await scene.append(penOf(other), 'still mine')
  },
  'after a cancellation or a quarantine frees the session too': async (scene) => {
    for (const status of ['cancelled', 'quarantined', 'failed'] as const) {
      const outcome = recordOf(new HoldfastError(status === 'quarantined' ? 'TURN_QUARANTINED' : 'TURN_CANCELLED'))
      const claim = await scene.begin(alice, status)
      assert.equal((await scene.settle(claim, null, { status, outcome })).status, status)
    }
    assert.equal((await scene.session(alice)).running, false)
  },
  'outlives the process': async (scene) => {
    const turn = await scene.say(alice, 'hello', 'hi')
    const session = await scene.session(alice)
    await scene.reopen()
    assert.deepEqual([await scene.turn(turn.id), await scene.session(alice)], [turn, session])
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hello', 'hi'])
  },
}
