import assert from 'node:assert/strict'
import { HoldfastError, recordOf } from '../../../model/errors.ts'
import { alice, type PromiseGroup, penOf, refused, type Scene, wordsOf } from '../scene.ts'

const stalled = recordOf(new HoldfastError('TURN_STALLED'))
const usedUp = recordOf(new HoldfastError('TURN_QUARANTINED'))

const cancel = (scene: Scene, turnId: string) =>
  scene.store.cancelTurn({ turnId, reason: 'not wanted', atMs: scene.nowMs })
const revoke = (scene: Scene, turnId: string) =>
  scene.store.revokeTurn({ turnId, status: 'failed', outcome: stalled, atMs: scene.nowMs })
const requeue = (scene: Scene, turnId: string) => scene.store.requeueTurn({ turnId, lane: 'resume', atMs: scene.nowMs })
const quarantine = (scene: Scene, turnId: string) =>
  scene.store.quarantineTurn({ turnId, outcome: usedUp, atMs: scene.nowMs })

/** A turn whose holder has ended in the middle of it. */
async function interrupted(scene: Scene, text: string) {
  const claim = await scene.begin(alice, text)
  await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs: scene.nowMs })
  return claim
}

export const stopPromises: PromiseGroup = {
  'while it waits is cancelled at once, and the queue goes on': async (scene) => {
    const first = await scene.admit(alice, 'one')
    const second = await scene.admit(alice, 'two')
    const turn = await cancel(scene, first.turn.id)
    assert.deepEqual([turn.status, turn.outcome?.code, turn.settledAtMs], ['cancelled', 'TURN_CANCELLED', scene.nowMs])
    assert.equal((await scene.session(alice)).queuedTurns, 1)
    const claim = await scene.claim()
    assert.equal(claim.turn.id, second.turn.id)
    await scene.settle(claim, 'done')
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['one', '(event)', 'two', 'done'])
    assert.deepEqual(wordsOf((await scene.context(alice)).entries), ['two', 'done'])
  },
  'while it runs is asked to stop, and stays its holder’s': async (scene) => {
    const claim = await scene.begin(alice, 'hello')
    const turn = await cancel(scene, claim.turn.id)
    assert.deepEqual([turn.status, turn.cancelRequested], ['running', 'not wanted'])
    await scene.append(penOf(claim), 'part of it')
    await scene.store.settleTurn(scene.settling({ ...penOf(claim), head: 2 }, null, { status: 'cancelled' }))
    assert.equal((await scene.turn(claim.turn.id)).status, 'cancelled')
  },
  'while it waits for another to end stands in the transcript after that one': async (scene) => {
    const running = await scene.begin(alice, 'one')
    const second = await scene.admit(alice, 'two', { onBusy: 'coalesce', coalesceMs: 1_000 })
    await scene.admit(alice, 'and more', { onBusy: 'coalesce', coalesceMs: 1_000 })
    const cancelled = await cancel(scene, second.turn.id)
    assert.deepEqual([cancelled.status, cancelled.transcript], ['cancelled', null])
    const pen = await scene.append(penOf(running), 'still the only writer')
    await scene.store.settleTurn(scene.settling(pen, 'done'))
    const entries = await scene.entries(alice)
    assert.deepEqual(wordsOf(entries), ['one', 'still the only writer', 'done', 'two', 'and more', '(event)'])
    assert.deepEqual(
      entries.slice(3).map(({ turnId, attempt }) => [turnId, attempt]),
      Array.from({ length: 3 }, () => [cancelled.id, 0]),
    )
    const event = entries.at(-1)?.body as { code: string }
    assert.deepEqual([event.code, (await scene.turn(cancelled.id)).transcript], ['TURN_CANCELLED', 1])
    assert.deepEqual(wordsOf((await scene.context(alice)).entries), ['one', 'still the only writer', 'done'])
  },
  'while others wait before it stands after them': async (scene) => {
    const running = await scene.begin(alice, 'one')
    await scene.admit(alice, 'two')
    const third = await scene.admit(alice, 'three')
    await cancel(scene, third.turn.id)
    await scene.settle(running, 'done')
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['one', 'done'])
    await scene.settle(await scene.claim(), 'also done')
    const all = ['one', 'done', 'two', 'also done', 'three', '(event)']
    assert.deepEqual(wordsOf(await scene.entries(alice)), all)
  },
  'while it waits, before its session is reset, stays in the transcript before': async (scene) => {
    await scene.begin(alice, 'one')
    const second = await scene.admit(alice, 'two')
    await cancel(scene, second.turn.id)
    await scene.store.resetSession({ key: alice, reason: 'x', atMs: scene.nowMs })
    assert.deepEqual(wordsOf(await scene.entries(alice, 1)), ['one', 'two', '(event)'])
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['(event)'])
  },
  'while it is interrupted is cancelled and does not run again': async (scene) => {
    const { turn } = await interrupted(scene, 'hello')
    assert.equal((await cancel(scene, turn.id)).status, 'cancelled')
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hello', '(event)'])
    assert.deepEqual((await scene.context(alice)).entries, [])
    assert.equal(await scene.tryClaim(), null)
    await refused('TURN_SETTLED', quarantine(scene, turn.id))
  },
  'cannot be cancelled after its end, or without being there': async (scene) => {
    const turn = await scene.say(alice, 'hello', 'hi')
    await refused('TURN_SETTLED', cancel(scene, turn.id))
    await refused('TURN_NOT_FOUND', cancel(scene, 'nothing'))
    assert.equal((await scene.turn(turn.id)).status, 'done')
  },

  'is taken from its holder without its help, and the queue goes on': async (scene) => {
    const claim = await scene.begin(alice, 'hangs')
    const next = await scene.admit(alice, 'next')
    scene.nowMs += 60
    const turn = await revoke(scene, claim.turn.id)
    assert.deepEqual([turn.status, turn.outcome, turn.settledAtMs], ['failed', stalled, scene.nowMs])
    assert.ok((await scene.session(alice)).fence > claim.fence, 'the fence grows')
    assert.deepEqual(await scene.store.listLeases(), [])
    await refused('FENCED', scene.append(penOf(claim), 'late'))
    await refused('FENCED', scene.settle(claim, 'late'))
    assert.equal((await scene.store.statistics()).fencedWrites, 2)
    const second = await scene.claim()
    assert.equal(second.turn.id, next.turn.id)
    await scene.settle(second, 'answer')
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hangs', '(event)', 'next', 'answer'])
    assert.deepEqual(wordsOf((await scene.context(alice)).entries), ['hangs', 'next', 'answer'])
  },
  'cannot be taken after its end, or without being there': async (scene) => {
    const turn = await scene.say(alice, 'hello', 'hi')
    const { fence } = await scene.session(alice)
    await refused('TURN_SETTLED', revoke(scene, turn.id))
    await refused('TURN_NOT_FOUND', revoke(scene, 'nothing'))
    assert.equal((await scene.session(alice)).fence, fence)
  },

  'by the end of its holder runs again when it is queued again': async (scene) => {
    const first = await interrupted(scene, 'hello')
    assert.equal(await scene.tryClaim(), null)
    const turn = await requeue(scene, first.turn.id)
    assert.deepEqual([turn.status, turn.lane, turn.attempts], ['queued', 'resume', 1])
    const again = await scene.claim()
    assert.deepEqual([again.turn.id, again.turn.attempts, again.turn.lane], [first.turn.id, 2, 'resume'])
    assert.deepEqual(again.inbound, first.inbound)
    assert.ok(again.fence > first.fence)
    await refused('FENCED', scene.settle(first, 'the first attempt, late'))
    const done = await scene.settle(again, 'answer')
    assert.deepEqual([done.status, done.attempts], ['done', 2])
    const detail = await scene.store.readTurn(done.id)
    assert.deepEqual(wordsOf(detail?.reply ?? []), ['answer'])
  },
  'by the end of its holder stands in the transcript once, however often it runs': async (scene) => {
    const first = await interrupted(scene, 'hello')
    await requeue(scene, first.turn.id)
    await scene.say(alice, 'meanwhile', 'yes')
    const second = await scene.claim()
    assert.equal(second.head, 3)
    await scene.append(penOf(second), 'half')
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs: scene.nowMs })
    await requeue(scene, first.turn.id)
    const third = await scene.claim()
    const before = await scene.context(alice, { exceptTurnId: first.turn.id })
    assert.deepEqual(wordsOf(before.entries), ['meanwhile', 'yes'])
    const done = await scene.settle(third, 'answer')
    const entries = await scene.entries(alice)
    assert.deepEqual(
      entries.map(({ body, attempt }) => [(body as { content: string }).content, attempt]),
      [
        ['hello', 1],
        ['meanwhile', 1],
        ['yes', 1],
        ['half', 2],
        ['answer', 3],
      ],
    )
    assert.deepEqual([done.replyFromSeq, done.replyToSeq], [5, 5])
    assert.deepEqual(wordsOf((await scene.context(alice)).entries), ['hello', 'meanwhile', 'yes', 'answer'])
  },
  'by the end of its holder stands in the new transcript too when its session was reset': async (scene) => {
    const first = await interrupted(scene, 'hello')
    await scene.store.resetSession({ key: alice, reason: 'x', atMs: scene.nowMs })
    await requeue(scene, first.turn.id)
    await scene.settle(await scene.claim(), 'answer')
    assert.deepEqual(wordsOf(await scene.entries(alice, 1)), ['hello'])
    const entries = await scene.entries(alice)
    assert.deepEqual(wordsOf(entries), ['(event)', 'hello', 'answer'])
    assert.deepEqual(
      entries.map(({ attempt }) => attempt),
      [0, 2, 2],
    )
  },
  'by the end of its holder gives way to new messages of its session': async (scene) => {
    const { turn } = await interrupted(scene, 'old')
    await requeue(scene, turn.id)
    const newer = await scene.admit(alice, 'new')
    const first = await scene.claim()
    assert.equal(first.turn.id, newer.turn.id)
    await scene.settle(first, 'done')
    assert.equal((await scene.claim()).turn.id, turn.id)
  },
  'by the end of its holder does not delay messages that wait': async (scene) => {
    const claim = await scene.begin(alice, 'old')
    const waiting = await scene.admit(alice, 'waiting')
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs: scene.nowMs })
    await requeue(scene, claim.turn.id)
    assert.equal((await scene.claim()).turn.id, waiting.turn.id)
  },
  'is queued again once when that is repeated': async (scene) => {
    const { turn } = await interrupted(scene, 'hello')
    const first = await requeue(scene, turn.id)
    assert.deepEqual(await requeue(scene, turn.id), first)
    assert.equal((await scene.session(alice)).queuedTurns, 1)
    await refused('TURN_NOT_FOUND', requeue(scene, 'nothing'))
  },

  'too often ends in quarantine': async (scene) => {
    const { turn } = await interrupted(scene, 'hello')
    scene.nowMs += 5
    const ended = await quarantine(scene, turn.id)
    assert.deepEqual([ended.status, ended.outcome, ended.settledAtMs], ['quarantined', usedUp, scene.nowMs])
    assert.equal(await scene.tryClaim(), null)
    await refused('TURN_NOT_FOUND', quarantine(scene, 'nothing'))
    const [asked, event, ...more] = await scene.entries(alice)
    assert.deepEqual([asked?.kind, asked?.attempt, more], ['user', 1, []])
    assert.deepEqual([event?.kind, event?.body], ['event', { ...event?.body, code: 'TURN_QUARANTINED' }])
    assert.deepEqual((await scene.context(alice)).entries, [])
    assert.equal((await scene.begin(alice, 'the next message is answered')).turn.attempts, 1)
  },
  'is not put into quarantine after its end': async (scene) => {
    const turn = await scene.say(alice, 'hello', 'hi')
    await refused('TURN_SETTLED', quarantine(scene, turn.id))
  },
}
