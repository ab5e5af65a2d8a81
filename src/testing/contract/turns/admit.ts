import assert from 'node:assert/strict'
import type { TurnRequest } from '../../../model/turns.ts'
import { alice, bob, type PromiseGroup, penOf, refused, type Scene, wordsOf } from '../scene.ts'

const requestWith = (temperature: number): TurnRequest => ({
  instructions: [],
  params: { temperature },
  streaming: false,
})

const inboundOf = async (scene: Scene, turnId: string) => {
  const detail = await scene.store.readTurn(turnId)
  return detail?.inbound.flatMap(({ messages }) => messages.map(({ content }) => content))
}

export const admitPromises: PromiseGroup = {
  'of a first message opens its session and can start at once': async (scene) => {
    const { turn, repeated, coalesced, interruptedTurnId } = await scene.admit(alice, 'hello')
    assert.deepEqual([repeated, coalesced, interruptedTurnId], [false, false, null])
    assert.deepEqual(
      [
        turn.status,
        turn.attempts,
        turn.blockedBy,
        turn.admittedAtMs,
        turn.readyAtMs,
        turn.startedAtMs,
        turn.sessionKey,
      ],
      ['queued', 0, null, scene.nowMs, scene.nowMs, null, alice],
    )
    assert.deepEqual(
      [turn.outcome, turn.cancelRequested, turn.settledAtMs, turn.replyFromSeq],
      [null, null, null, null],
    )
    assert.equal((await scene.session(alice)).queuedTurns, 1)
    assert.deepEqual(await scene.entries(alice), [])
  },
  'waits for the turn before it in its session, and says so': async (scene) => {
    const first = await scene.admit(alice, 'one')
    const second = await scene.admit(alice, 'two')
    assert.deepEqual([second.turn.blockedBy, second.turn.readyAtMs], ['session', null])
    assert.ok(second.turn.position > first.turn.position)
    scene.nowMs += 700
    await scene.settle(await scene.claim(), 'done')
    assert.equal((await scene.turn(second.turn.id)).readyAtMs, scene.nowMs)
  },

  'with a key that was used gives the same turn, in every state of it': async (scene) => {
    const first = scene.admission(alice, 'hello', { dedupeKey: 'k' })
    const again = () => scene.store.admitTurn({ ...first, turnId: scene.nextId('turn') })
    const { turn } = await scene.store.admitTurn(first)
    assert.deepEqual([(await again()).turn.id, (await again()).repeated], [turn.id, true])
    const claim = await scene.claim()
    assert.equal((await again()).turn.status, 'running')
    await scene.settle(claim, 'hi')
    assert.deepEqual([(await again()).turn.id, (await again()).turn.status], [turn.id, 'done'])
    await scene.store.resetSession({ key: alice, reason: 'x', atMs: scene.nowMs })
    assert.equal((await again()).turn.id, turn.id)
    assert.deepEqual([(await scene.session(alice)).turnsTotal, await scene.tryClaim()], [1, null])
  },
  'with a key that was used for something else is refused': async (scene) => {
    await scene.admit(alice, 'hello', { dedupeKey: 'k' })
    await refused('IDEMPOTENCY_MISMATCH', scene.admit(alice, 'other words', { dedupeKey: 'k' }))
    assert.equal((await scene.session(alice)).queuedTurns, 1)
  },
  'with the key of another session is a turn of its own': async (scene) => {
    const first = await scene.admit(alice, 'hello', { dedupeKey: 'k' })
    const other = await scene.admit(bob, 'hello', { dedupeKey: 'k' })
    assert.deepEqual([other.repeated, other.turn.id === first.turn.id], [false, false])
  },
  'that is repeated after an unknown outcome is found again by its id': async (scene) => {
    const admission = scene.admission(alice, 'hello')
    const first = await scene.store.admitTurn(admission)
    const again = await scene.store.admitTurn(admission)
    assert.deepEqual([again.turn.id, again.repeated], [first.turn.id, true])
    assert.deepEqual([(await scene.session(alice)).queuedTurns, await inboundOf(scene, first.turn.id)], [1, ['hello']])
  },
  'that joined another turn is not joined twice when it is repeated': async (scene) => {
    await scene.begin(alice, 'busy')
    const first = await scene.admit(alice, 'one', { onBusy: 'coalesce' })
    const admission = scene.admission(alice, 'two', { onBusy: 'coalesce' })
    assert.equal((await scene.store.admitTurn(admission)).coalesced, true)
    const again = await scene.store.admitTurn(admission)
    assert.deepEqual([again.turn.id, again.repeated], [first.turn.id, true])
    assert.deepEqual(await inboundOf(scene, first.turn.id), ['one', 'two'])
  },

  'joins a waiting turn until its window closes, at the millisecond': async (scene) => {
    await scene.begin(alice, 'busy')
    const say = (text: string) => scene.admit(alice, text, { onBusy: 'coalesce', coalesceMs: 1_000 })
    const first = await say('one')
    assert.equal(first.coalesced, false)
    scene.nowMs += 999
    const joined = await say('two')
    assert.deepEqual([joined.turn.id, joined.coalesced, joined.repeated], [first.turn.id, true, false])
    assert.deepEqual(await inboundOf(scene, first.turn.id), ['one', 'two'])
    scene.nowMs += 2_000
    const late = await say('three')
    assert.deepEqual([late.coalesced, late.turn.id === first.turn.id], [false, false])
    assert.equal((await scene.session(alice)).queuedTurns, 2)
  },
  'does not join after the millisecond at which the window closes': async (scene) => {
    await scene.begin(alice, 'busy')
    const say = (text: string) => scene.admit(alice, text, { onBusy: 'coalesce', coalesceMs: 1_000 })
    await say('one')
    scene.nowMs += 1_001
    assert.equal((await say('two')).coalesced, false)
  },
  'joins up to the last token that fits the turn, and not beyond': async (scene) => {
    const say = (text: string) => scene.admit(alice, text, { onBusy: 'coalesce', coalesceTokensMax: 10 })
    const first = await say('12345')
    const fits = await say('67890')
    assert.deepEqual([fits.coalesced, fits.turn.id], [true, first.turn.id])
    assert.equal((await say('!')).coalesced, false)
  },
  'does not join a turn that is asked in another way, or in another lane, or does not collect': async (scene) => {
    await scene.begin(alice, 'busy')
    await scene.admit(alice, 'one', { onBusy: 'coalesce', request: requestWith(1) })
    const other = await scene.admit(alice, 'two', { onBusy: 'coalesce', request: requestWith(0) })
    assert.equal(other.coalesced, false)
    await scene.admit(bob, 'plain')
    await scene.admit(bob, 'plain too')
    assert.equal((await scene.admit(bob, 'cron', { onBusy: 'coalesce', lane: 'cron' })).coalesced, false)
  },
  'joins the last that waits, not one that stands before another': async (scene) => {
    await scene.begin(alice, 'busy')
    const say = (text: string, request?: TurnRequest) =>
      scene.admit(alice, text, { onBusy: 'coalesce', ...(request && { request }) })
    await say('one')
    await say('between', requestWith(1))
    assert.equal((await say('two')).coalesced, false)
  },
  'does not join a turn that runs already': async (scene) => {
    const first = await scene.admit(alice, 'one', { onBusy: 'coalesce', coalesceMs: 1_000 })
    scene.nowMs += 1_000
    assert.equal((await scene.claim()).turn.id, first.turn.id)
    scene.nowMs -= 500
    const second = await scene.admit(alice, 'two', { onBusy: 'coalesce' })
    assert.deepEqual([second.coalesced, second.turn.id === first.turn.id], [false, false])
  },
  'that joins keeps a key of its own': async (scene) => {
    await scene.begin(alice, 'busy')
    const first = await scene.admit(alice, 'one', { onBusy: 'coalesce', dedupeKey: 'k1' })
    await scene.admit(alice, 'two', { onBusy: 'coalesce', dedupeKey: 'k2' })
    scene.nowMs += 5_000
    for (const [text, dedupeKey] of [
      ['one', 'k1'],
      ['two', 'k2'],
    ] as const) {
      const again = await scene.admit(alice, text, { onBusy: 'coalesce', dedupeKey })
      assert.deepEqual([again.turn.id, again.repeated], [first.turn.id, true])
    }
    await refused('IDEMPOTENCY_MISMATCH', scene.admit(alice, 'one', { onBusy: 'coalesce', dedupeKey: 'k2' }))
    const detail = await scene.store.readTurn(first.turn.id)
    assert.deepEqual(
      detail?.inbound.map(({ dedupeKey }) => dedupeKey),
      ['k1', 'k2'],
    )
  },

  'that interrupts asks the running turn to stop and is next': async (scene) => {
    const running = await scene.begin(alice, 'long')
    await scene.admit(alice, 'patient')
    const urgent = await scene.admit(alice, 'stop', { onBusy: 'interrupt' })
    assert.equal(urgent.interruptedTurnId, running.turn.id)
    const stopping = await scene.turn(running.turn.id)
    assert.equal(stopping.status, 'running')
    assert.notEqual(stopping.cancelRequested, null)
    assert.equal(await scene.tryClaim(), null)
    await scene.append(penOf(running), 'still the holder')
    await scene.store.settleTurn(scene.settling({ ...penOf(running), head: 2 }, null, { status: 'cancelled' }))
    const next = await scene.claim()
    assert.equal(next.turn.id, urgent.turn.id)
    await scene.settle(next, 'stopped')
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['long', 'still the holder', 'stop', 'stopped'])
    assert.deepEqual((await scene.claim()).inbound[0]?.messages[0]?.content, 'patient')
  },
  'that interrupts where nothing runs is next as well': async (scene) => {
    await scene.admit(alice, 'patient')
    const urgent = await scene.admit(alice, 'now', { onBusy: 'interrupt' })
    assert.equal(urgent.interruptedTurnId, null)
    assert.equal((await scene.claim()).turn.id, urgent.turn.id)
    const first = await scene.admit(bob, 'first', { onBusy: 'interrupt' })
    assert.equal(first.turn.blockedBy, null)
  },

  'with the reject policy is refused while the session runs or waits, and says when to come again': async (scene) => {
    await scene.admit(alice, 'one', { onBusy: 'reject' })
    const waiting = await refused('SESSION_BUSY', scene.admit(alice, 'two', { onBusy: 'reject' }))
    assert.ok(waiting.retryAfterMs !== null && waiting.retryAfterMs > 0)
    const claim = await scene.claim()
    const running = await refused('SESSION_BUSY', scene.admit(alice, 'two', { onBusy: 'reject' }))
    assert.ok(running.retryAfterMs !== null && running.retryAfterMs > 0)
    await scene.settle(claim, 'done')
    assert.equal((await scene.admit(alice, 'two', { onBusy: 'reject' })).turn.status, 'queued')
    assert.equal((await scene.session(alice)).turnsTotal, 2)
  },
  'with the reject policy finds its own earlier try': async (scene) => {
    const admission = scene.admission(alice, 'one', { onBusy: 'reject', dedupeKey: 'k' })
    await scene.store.admitTurn(admission)
    assert.equal((await scene.store.admitTurn(admission)).repeated, true)
  },

  'is refused over the limit of its session': async (scene) => {
    const queuedMax = { session: 2, total: 100 }
    await scene.begin(alice, 'runs, and does not wait', { queuedMax })
    await scene.admit(alice, 'one', { queuedMax })
    const two = scene.admission(alice, 'two', { queuedMax, dedupeKey: 'k' })
    await scene.store.admitTurn(two)
    const error = await refused('QUEUE_FULL', scene.admit(alice, 'three', { queuedMax }))
    assert.ok(error.retryAfterMs !== null && error.retryAfterMs > 0)
    assert.equal((await scene.store.admitTurn(two)).repeated, true)
    assert.equal((await scene.admit(bob, 'one', { queuedMax })).turn.status, 'queued')
    assert.equal((await scene.session(alice)).turnsTotal, 3)
  },
  'is refused over the limit of the store': async (scene) => {
    const queuedMax = { session: 100, total: 2 }
    await scene.admit(alice, 'one', { queuedMax })
    await scene.admit(bob, 'one', { queuedMax })
    await refused('QUEUE_FULL', scene.admit(bob, 'two', { queuedMax }))
    await scene.claim()
    assert.equal((await scene.admit(bob, 'two', { queuedMax })).turn.status, 'queued')
  },
  'that joins is not one more in the queue': async (scene) => {
    const queuedMax = { session: 1, total: 1 }
    await scene.begin(alice, 'busy')
    await scene.admit(alice, 'one', { queuedMax, onBusy: 'coalesce' })
    assert.equal((await scene.admit(alice, 'two', { queuedMax, onBusy: 'coalesce' })).coalesced, true)
  },
  'that was refused leaves nothing behind': async (scene) => {
    await refused('QUEUE_FULL', scene.admit(bob, 'one', { queuedMax: { session: 0, total: 100 } }))
    assert.deepEqual((await scene.store.listTurns({ order: 'oldest', limit: 10 })).items, [])
    assert.equal(await scene.store.readSession(bob), null)
  },
}
