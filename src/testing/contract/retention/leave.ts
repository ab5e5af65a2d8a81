import assert from 'node:assert/strict'
import { HoldfastError, recordOf } from '../../../model/errors.ts'
import { parseHeader, parseRecord } from '../../../model/records.ts'
import { alice, bob, type PromiseGroup, penOf, refused, type Scene, wordsOf } from '../scene.ts'
import { exported, itemOf, purgeAll, takeEarlier, takeSession } from './moves.ts'

const typesIn = (text: string) =>
  text
    .split('\n')
    .slice(1, -1)
    .map((line) => parseRecord(line).type)

const reset = (scene: Scene) => scene.store.resetSession({ key: alice, reason: 'new', atMs: scene.nowMs })

/** Nothing that reads shows the key or its words. */
async function isGone(scene: Scene, word: string): Promise<void> {
  const { store } = scene
  assert.equal(await store.readSession(alice), null)
  for (const state of ['open', 'archived'] as const) {
    assert.deepEqual((await store.listSessions({ limit: 9, state })).items, [])
  }
  assert.deepEqual((await store.listTurns({ order: 'oldest', limit: 9 })).items, [])
  assert.deepEqual((await store.listTurns({ order: 'newest', limit: 9, key: alice })).items, [])
  assert.deepEqual((await store.searchEntries({ text: word, limit: 9 })).items, [])
  const { sessions, entries } = await store.statistics()
  assert.deepEqual([sessions, entries], [0, 0])
  const { kinds, earlier } = await store.readRetention({ limit: 9, activeBeforeMs: Number.MAX_SAFE_INTEGER })
  assert.deepEqual([kinds, earlier], [[], []])
}

export const leavePromises: PromiseGroup = {
  'is exported as records that say what they are, to the last': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    const { text, parts } = await exported(scene.store, alice, 1)
    const { session, transcript } = parseHeader(text.slice(0, text.indexOf('\n')))
    assert.deepEqual(
      [session.key, session.fence, transcript.number, transcript.current, transcript.entries],
      [alice, 1, 1, true, 2],
    )
    assert.deepEqual(typesIn(text), ['turn', 'inbound', 'entry', 'entry', 'end'])
    assert.deepEqual(
      parts.map(({ entries, firstAtMs, lastAtMs, next }) => [entries, firstAtMs, lastAtMs, next]),
      [[2, scene.nowMs, scene.nowMs, null]],
    )
    assert.deepEqual(await scene.store.exportTranscripts({ items: [{ key: bob, transcript: 1 }], bytesMax: 9 }), [])
    assert.deepEqual(await scene.store.exportTranscripts({ items: [{ key: alice, transcript: 2 }], bytesMax: 9 }), [])
  },
  'is the same text, however small the parts': async (scene) => {
    for (const word of ['one', 'two', 'three']) await scene.say(alice, word, `${word} ${'x'.repeat(40_000)}`)
    const whole = await exported(scene.store, alice, 1)
    for (const bytesMax of [1, 500, 50_000]) {
      assert.equal((await exported(scene.store, alice, 1, bytesMax)).text, whole.text)
    }
  },
  'leaves with its session, and nothing shows it any more': async (scene) => {
    await scene.say(alice, 'hello', 'goodbye')
    const { turn } = await scene.admit(alice, 'unheard')
    await scene.store.cancelTurn({ turnId: turn.id, reason: 'x', atMs: scene.nowMs })
    await reset(scene)
    const { taken } = await takeSession(scene, alice)
    assert.deepEqual(
      taken.map(({ because }) => because),
      [null, null],
    )
    await isGone(scene, 'goodbye')
    assert.equal(await scene.store.readTurn(turn.id), null)
    await refused('TURN_NOT_FOUND', scene.store.cancelTurn({ turnId: turn.id, reason: 'x', atMs: scene.nowMs + 1 }))
    const { items } = await scene.store.listArchived({ limit: 9 })
    assert.deepEqual(
      items.map(({ transcript, whole }) => [transcript, whole]),
      [
        [2, true],
        [1, false],
      ],
    )
    await purgeAll(scene.store)
    await isGone(scene, 'goodbye')
  },
  'leaves alone when a reset has ended it, and its session goes on': async (scene) => {
    await scene.say(alice, 'hello', 'goodbye')
    await reset(scene)
    await scene.say(alice, 'again', 'welcome')
    const before = await scene.session(alice)
    const { taken } = await takeEarlier(scene, alice, 1)
    assert.equal(taken.because, null)
    assert.deepEqual(await scene.session(alice), before)
    await refused('SESSION_NOT_FOUND', scene.entries(alice, 1))
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['(event)', 'again', 'welcome'])
    assert.equal((await scene.store.listTurns({ order: 'oldest', limit: 9, key: alice })).items.length, 1)
    assert.equal((await scene.store.statistics()).entries, 3)
    await scene.say(alice, 'more', 'yes')
  },
  'leaves a key that goes on with the next transcript and from its fence': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    await reset(scene)
    await scene.say(alice, 'hello', 'hi')
    const { fence } = await scene.session(alice)
    await takeSession(scene, alice)
    const opened = await scene.store.openSession({ key: alice, atMs: scene.nowMs })
    assert.deepEqual([opened.transcript, opened.fence, opened.head, opened.turnsTotal], [3, fence, 0, 0])
    const claim = await scene.begin(alice, 'new')
    assert.deepEqual([claim.fence, claim.session.transcript], [fence + 1, 3])
    await scene.settle(claim, 'ok')
    assert.equal((await reset(scene)).session.transcript, 4)
  },
  'gives none of its numbers to others': async (scene) => {
    const turn = await scene.say(alice, 'hello', 'hi')
    await takeSession(scene, alice)
    await purgeAll(scene.store)
    await scene.reopen()
    const next = await scene.say(bob, 'hello', 'hi')
    assert.ok(next.position > turn.position)
  },
  'gives its dedupe keys and ids free': async (scene) => {
    const admission = scene.admission(alice, 'hello', { dedupeKey: 'k' })
    await scene.store.admitTurn(admission)
    await scene.settle(await scene.claim(), 'hi')
    await takeSession(scene, alice)
    const again = await scene.store.admitTurn(admission)
    assert.deepEqual([again.repeated, again.turn.status], [false, 'queued'])
    assert.equal((await scene.store.admitTurn(admission)).repeated, true)
  },
  'stays while its session is protected, and says why': async (scene) => {
    const { nowMs: atMs } = scene
    const because = async () => {
      const item = itemOf(await exported(scene.store, alice, 1))
      return (await scene.store.takeOut({ items: [item], atMs }))[0]?.because
    }
    const request = { instructions: [], params: {}, streaming: false, deliverTo: ['telegram:42'] }
    await scene.admit(alice, 'waits', { request })
    assert.equal(await because(), 'busy')
    const claim = await scene.claim()
    assert.equal(await because(), 'busy')
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs })
    assert.equal(await because(), 'busy')
    await scene.store.requeueTurn({ turnId: claim.turn.id, lane: 'resume', atMs })
    await scene.settle(await scene.claim(), 'hi')
    assert.equal(await because(), 'busy')
    const delivery = await scene.store.claimDelivery({ atMs })
    assert.equal(await because(), 'busy')
    const id = delivery?.id as number
    await scene.store.settleDelivery({ id, status: 'sent', error: null, nextAttemptAtMs: 0 })
    await scene.store.patchSession({ key: alice, pinned: true, atMs })
    assert.equal(await because(), 'pinned')
    await scene.store.patchSession({ key: alice, pinned: false, atMs })
    assert.equal(await because(), null)
    assert.equal(
      (
        await scene.store.takeOut({
          items: [itemOf({ key: bob, transcript: 1, stamp: '', text: '', parts: [] })],
          atMs,
        })
      )[0]?.because,
      'gone',
    )
  },
  'stays when anything of it changed since it was exported': async (scene) => {
    const { nowMs: atMs } = scene
    const summary = {
      key: alice,
      transcript: 1,
      baseId: null,
      uptoSeq: 2,
      kind: 'model' as const,
      text: 'n',
      tokens: 1,
    }
    const changes: (() => Promise<unknown>)[] = [
      () => scene.say(alice, 'more', 'yes'),
      () => scene.store.patchSession({ key: alice, title: 'another', atMs }),
      () => scene.store.commitSummary({ ...summary, atMs }),
      () => scene.store.addEvent({ key: alice, code: 'NOTE', text: 'x', atMs }),
      () => scene.store.archiveSession({ key: alice, atMs }),
    ]
    await scene.say(alice, 'hello', 'hi')
    for (const change of changes) {
      const item = itemOf(await exported(scene.store, alice, 1))
      await change()
      assert.equal((await scene.store.takeOut({ items: [item], atMs }))[0]?.because, 'changed', String(change))
    }
    assert.equal((await takeSession(scene, alice)).taken[0]?.because, null)
  },
  'leaves after the earlier ones, or with them': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    await reset(scene)
    const current = itemOf(await exported(scene.store, alice, 2))
    const taken = await scene.store.takeOut({ items: [current], atMs: scene.nowMs })
    assert.equal(taken[0]?.because, 'changed')
    const first = itemOf(await exported(scene.store, alice, 1), { whole: false })
    const both = await scene.store.takeOut({ items: [first, current], atMs: scene.nowMs })
    assert.deepEqual(
      both.map(({ because }) => because),
      [null, null],
    )
  },
  'leaves once when the call is made again': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    const items = [itemOf(await exported(scene.store, alice, 1))]
    const first = await scene.store.takeOut({ items, atMs: scene.nowMs })
    assert.deepEqual(await scene.store.takeOut({ items, atMs: scene.nowMs }), first)
    assert.equal((await scene.store.listArchived({ limit: 9 })).items.length, 1)
  },
  'leaves for good without a trace but its fence': async (scene) => {
    const { nowMs: atMs } = scene
    await refused('SESSION_NOT_FOUND', scene.store.deleteSession({ key: alice, atMs }))
    const request = { instructions: [], params: {}, streaming: false, deliverTo: ['telegram:42'] }
    const claim = await scene.begin(alice, 'hello', { request })
    await refused('SESSION_BUSY', scene.store.deleteSession({ key: alice, atMs }))
    await scene.settle(claim, 'goodbye')
    await reset(scene)
    await scene.store.deleteSession({ key: alice, atMs })
    await isGone(scene, 'goodbye')
    assert.deepEqual((await scene.store.listArchived({ limit: 9 })).items, [])
    assert.equal(await scene.store.claimDelivery({ atMs }), null)
    await purgeAll(scene.store, 1)
    await scene.store.scrub()
    const { transcript, fence } = await scene.store.openSession({ key: alice, atMs })
    assert.deepEqual([transcript, fence], [3, 1])
  },
  'leaves the quarantine too': async (scene) => {
    const { nowMs: atMs, store } = scene
    const { turn } = await scene.begin(alice, 'poison')
    await store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs })
    await store.quarantineTurn({ turnId: turn.id, outcome: recordOf(new HoldfastError('MODEL_REJECTED')), atMs })
    assert.equal((await store.listQuarantined({ limit: 9 })).items.length, 1)
    await store.deleteSession({ key: alice, atMs })
    assert.deepEqual((await store.listQuarantined({ limit: 9 })).items, [])
    await purgeAll(store)
  },
  'takes nothing of others with it': async (scene) => {
    const large = 'y'.repeat(100_000)
    const outcome = recordOf(new HoldfastError('MODEL_REJECTED'))
    for (const key of [alice, bob]) {
      await scene.say(key, large, large)
      await scene.settle(await scene.begin(key, 'refused'), null, { status: 'failed', outcome })
      await scene.append(penOf(await scene.begin(key, 'running')), 'a')
      await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs: scene.nowMs })
      const { items } = await scene.store.listTurns({ order: 'oldest', limit: 9, statuses: ['interrupted'] })
      await scene.store.cancelTurn({ turnId: items[0]?.id ?? '', reason: 'x', atMs: scene.nowMs })
    }
    const before = [await scene.session(bob), await scene.entries(bob), (await exported(scene.store, bob, 1)).text]
    await takeSession(scene, alice)
    await purgeAll(scene.store, 3)
    assert.deepEqual(
      [await scene.session(bob), await scene.entries(bob), (await exported(scene.store, bob, 1)).text],
      before,
    )
  },
}
