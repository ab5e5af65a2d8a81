import assert from 'node:assert/strict'
import type { AdmitInput } from '../../../store/turns.ts'
import { alice, bob, type PromiseGroup, refused, type Scene, wordsOf } from '../scene.ts'

const after = (transcript: number): Partial<AdmitInput> => ({ reset: { transcript, reason: 'daily reset' } })

export const anewPromises: PromiseGroup = {
  'begins a new transcript first, which says so': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    scene.nowMs += 5
    const { turn, begunTranscript } = await scene.admit(alice, 'good morning', after(1))
    assert.equal(begunTranscript, 2)
    const claim = await scene.claim()
    assert.deepEqual([claim.turn.id, claim.session.transcript, claim.head], [turn.id, 2, 2])
    await scene.settle(claim, 'good day')
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['(event)', 'good morning', 'good day'])
    assert.deepEqual(wordsOf(await scene.entries(alice, 1)), ['hello', 'hi'])
    const [event] = await scene.entries(alice)
    assert.deepEqual([event?.kind, (event?.body as { code?: unknown } | undefined)?.code], ['event', 'SESSION_RESET'])
  },
  'begins one when two messages ask for the same': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    const [one, other] = await Promise.all([scene.admit(alice, 'one', after(1)), scene.admit(alice, 'two', after(1))])
    assert.deepEqual([one.begunTranscript, other.begunTranscript], [2, null])
    assert.equal((await scene.session(alice)).transcript, 2)
  },
  'begins none after another transcript than the current one': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    await scene.store.resetSession({ key: alice, reason: 'by hand', atMs: scene.nowMs })
    assert.equal((await scene.admit(alice, 'one', after(1))).begunTranscript, null)
    assert.equal((await scene.session(alice)).transcript, 2)
    assert.equal((await scene.admit(bob, 'nothing was said yet', after(1))).begunTranscript, null)
  },
  'begins none when it is a repeat, by its key or by its id': async (scene) => {
    const first = scene.admission(alice, 'hello', { dedupeKey: 'k' })
    await scene.store.admitTurn(first)
    await scene.settle(await scene.claim(), 'hi')
    for (const turnId of [first.turnId, scene.nextId('turn')]) {
      const again = await scene.store.admitTurn({ ...first, turnId, ...after(1) })
      assert.deepEqual([again.turn.id, again.repeated, again.begunTranscript], [first.turnId, true, null])
    }
    assert.equal((await scene.session(alice)).transcript, 1)
  },
  'begins none while a turn waits, runs or is to run again': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    const unfinished = async (policy: Partial<AdmitInput> = {}) => {
      const { begunTranscript } = await scene.admit(alice, 'next', { ...after(1), ...policy })
      assert.deepEqual([begunTranscript, (await scene.session(alice)).transcript], [null, 1])
    }
    await scene.admit(alice, 'waits')
    await unfinished()
    await unfinished({ onBusy: 'interrupt' })
    await unfinished({ onBusy: 'coalesce' })
    await scene.claim()
    await unfinished()
    await scene.begin(bob, 'unfinished')
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs: scene.nowMs })
    assert.equal((await scene.admit(bob, 'next', after(1))).begunTranscript, null)
  },
  'begins none when it is refused': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    await refused('QUEUE_FULL', scene.admit(alice, 'one', { ...after(1), queuedMax: { session: 0, total: 9 } }))
    assert.equal((await scene.session(alice)).transcript, 1)
  },
  'is dated by its first message, not by the reset before it': async (scene) => {
    const began = async () => (await scene.session(alice)).transcriptAtMs
    const openedAtMs = scene.nowMs
    await scene.store.openSession({ key: alice, atMs: openedAtMs })
    assert.equal(await began(), openedAtMs)
    scene.nowMs += 10
    await sayTwice(scene)
    assert.equal(await began(), openedAtMs + 10)
    const resetAtMs = scene.nowMs
    await scene.store.resetSession({ key: alice, reason: 'by hand', atMs: resetAtMs })
    assert.equal(await began(), resetAtMs)
    scene.nowMs += 10
    await sayTwice(scene)
    assert.equal(await began(), resetAtMs + 10)
  },
}

async function sayTwice(scene: Scene): Promise<void> {
  await scene.say(alice, 'one', '1')
  scene.nowMs += 10
  await scene.say(alice, 'two', '2')
}
