import assert from 'node:assert/strict'
import { parseSessionKey } from '../../../model/keys.ts'
import { alice, allPages, bob, type PromiseGroup, refused, type Scene, wordsOf } from '../scene.ts'
import { placed, takeEarlier, takeSession } from './moves.ts'

const always = Number.MAX_SAFE_INTEGER
const cron = parseSessionKey('agent:main:cron:7')

const facts = (scene: Scene, limit = 9, activeBeforeMs = always) => scene.store.readRetention({ limit, activeBeforeMs })
const kindIn = async (scene: Scene, kind: string, limit?: number, before?: number) =>
  (await facts(scene, limit, before)).kinds.find((each) => each.kind === kind)

export const factPromises: PromiseGroup = {
  'count all of a kind, and list what would go first': async (scene) => {
    const startMs = scene.nowMs
    await scene.say(bob, 'one', '1')
    scene.nowMs += 10
    await scene.say(alice, 'two', '2')
    scene.nowMs += 10
    await scene.say(cron, 'three', '3')
    scene.nowMs += 10
    await scene.say(bob, 'four', '4')
    const other = await kindIn(scene, 'other')
    assert.deepEqual([other?.sessions, other?.entries], [2, 6])
    assert.deepEqual(
      [other?.idlest.map(({ key }) => key), other?.eldest.map(({ key }) => key)],
      [
        [alice, bob],
        [bob, alice],
      ],
    )
    const { bytes, ...first } = other?.idlest[0] ?? { bytes: 0 }
    assert.deepEqual(first, {
      ...{
        key: alice,
        kind: 'other',
        createdAtMs: startMs + 10,
        activeAtMs: startMs + 10,
        transcripts: [1],
        entries: 2,
      },
    })
    assert.ok(bytes > 0 && (other?.bytes ?? 0) > bytes)
    assert.deepEqual(
      (await kindIn(scene, 'other', 1))?.idlest.map(({ key }) => key),
      [alice],
    )
    assert.deepEqual(
      (await kindIn(scene, 'other', 9, startMs + 30))?.eldest.map(({ key }) => key),
      [alice],
    )
    assert.equal((await kindIn(scene, 'cron'))?.sessions, 1)
  },
  'list nothing that is protected, but count it': async (scene) => {
    const { nowMs: atMs } = scene
    const request = { instructions: [], params: {}, streaming: false, deliverTo: ['telegram:42'] }
    const listed = async () => {
      const { kinds, earlier } = await facts(scene)
      assert.equal(kinds[0]?.sessions, 1)
      return [kinds[0]?.idlest.length, kinds[0]?.eldest.length, earlier.length]
    }
    await scene.say(alice, 'hello', 'hi')
    await scene.store.resetSession({ key: alice, reason: 'new', atMs })
    assert.deepEqual(await listed(), [1, 1, 1])
    await scene.store.patchSession({ key: alice, pinned: true, atMs })
    assert.deepEqual(await listed(), [0, 0, 0])
    await scene.store.patchSession({ key: alice, pinned: false, atMs })
    await scene.admit(alice, 'waits', { request })
    assert.deepEqual(await listed(), [0, 0, 0])
    const claim = await scene.claim()
    assert.deepEqual(await listed(), [0, 0, 0])
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs })
    assert.deepEqual(await listed(), [0, 0, 0])
    await scene.store.requeueTurn({ turnId: claim.turn.id, lane: 'resume', atMs })
    await scene.settle(await scene.claim(), 'hi')
    assert.deepEqual(await listed(), [0, 0, 0])
    const id = (await scene.store.claimDelivery({ atMs }))?.id as number
    assert.deepEqual(await listed(), [0, 0, 0])
    await scene.store.settleDelivery({ id, status: 'unknown', error: null, nextAttemptAtMs: 0 })
    assert.deepEqual(await listed(), [1, 1, 1])
  },
  'name transcripts that a reset has ended, earliest end first': async (scene) => {
    const startMs = scene.nowMs
    for (const key of [bob, alice]) await scene.say(key, 'hello', 'hi')
    for (const key of [alice, bob, alice]) {
      scene.nowMs += 10
      await scene.store.resetSession({ key, reason: 'new', atMs: scene.nowMs })
    }
    const brief = async () =>
      (await facts(scene)).earlier.map(({ key, transcript, endedAtMs, entries }) => [
        ...[key, transcript, endedAtMs - startMs, entries],
      ])
    assert.deepEqual(await brief(), [
      [alice, 1, 10, 2],
      [bob, 1, 20, 2],
      [alice, 2, 30, 1],
    ])
    await takeEarlier(scene, alice, 1)
    assert.deepEqual(await brief(), [
      [bob, 1, 20, 2],
      [alice, 2, 30, 1],
    ])
    const other = await kindIn(scene, 'other')
    assert.deepEqual(other?.idlest.find(({ key }) => key === alice)?.transcripts, [2, 3])
  },
  'tell what is archived where, and the newest time that anything happened at': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    await takeSession(scene, alice)
    await scene.say(bob, 'hello', 'hi')
    scene.nowMs += 50
    await scene.store.addEvent({ key: bob, code: 'NOTE', text: 'x', atMs: scene.nowMs })
    const before = await facts(scene)
    assert.deepEqual(before.archived, { archives: { count: 1, bytes: 100 }, trash: { count: 0, bytes: 0 } })
    assert.deepEqual(before.clock, { newestMs: scene.nowMs, notedMs: null })
    await scene.store.noteClock({ atMs: scene.nowMs + 7 })
    await scene.reopen()
    assert.equal((await facts(scene)).clock.notedMs, scene.nowMs + 7)
  },
  'of archives are entered once, listed by key, place, sweep and expiry, moved and dropped': async (scene) => {
    const { store } = scene
    const text = 'x'
    const items = [
      placed({ key: alice, transcript: 1, text }, { takenAtMs: 1, sweep: 'a' }),
      placed({ key: alice, transcript: 2, text }, { takenAtMs: 2, sweep: 'a' }),
      placed({ key: bob, transcript: 1, text }, { takenAtMs: 2, sweep: 'b', place: 'trash', expiresAtMs: 50 }),
    ]
    await store.enterArchived({ items })
    await store.enterArchived({ items })
    const keysOf = (found: { sessionKey: string; transcript: number }[]) =>
      found.map(({ sessionKey, transcript }) => [sessionKey, transcript])
    const all = await allPages((after) => store.listArchived({ limit: 1, ...after }))
    const newestFirst = [
      [bob, 1],
      [alice, 2],
      [alice, 1],
    ]
    assert.deepEqual(keysOf(all), newestFirst)
    const found = async (query: Parameters<typeof store.listArchived>[0]) =>
      keysOf((await store.listArchived(query)).items)
    assert.deepEqual(await found({ limit: 9, key: alice }), newestFirst.slice(1))
    assert.deepEqual(await found({ limit: 9, sweep: 'b' }), newestFirst.slice(0, 1))
    assert.deepEqual(await found({ limit: 9, place: 'archives', key: alice }), newestFirst.slice(1))
    assert.deepEqual(await found({ limit: 9, expiredAtMs: 49 }), [])
    assert.deepEqual(await found({ limit: 9, expiredAtMs: 50 }), newestFirst.slice(0, 1))
    await refused('CURSOR_INVALID', store.listArchived({ limit: 1, after: 'nonsense' }))
    const id = all[0]?.id as number
    const where = { place: 'archives' as const, sweep: 'c', file: 'f', offset: 7, length: 8, expiresAtMs: null }
    await store.moveArchived({ moves: [{ id, ...where }] })
    const [moved] = (await store.listArchived({ limit: 9, key: bob })).items
    assert.deepEqual(moved, { ...all[0], ...where })
    await store.dropArchived({ ids: [id, id + 99] })
    assert.deepEqual(await found({ limit: 9, key: bob }), [])
  },
  'that are events stand at the head, seen by people and not by the model': async (scene) => {
    const { nowMs: atMs } = scene
    const event = { key: alice, code: 'RETENTION_WARNING', text: 'It goes tomorrow.', atMs }
    await refused('SESSION_NOT_FOUND', scene.store.addEvent(event))
    const claim = await scene.begin(alice, 'hello')
    await refused('SESSION_BUSY', scene.store.addEvent(event))
    await scene.settle(claim, 'hi')
    const { activeAtMs } = await scene.session(alice)
    const entry = await scene.store.addEvent({ ...event, atMs: atMs + 5 })
    assert.deepEqual(
      [entry.seq, entry.kind, entry.body, entry.atMs],
      [3, 'event', { code: event.code, text: event.text }, atMs + 5],
    )
    assert.deepEqual((await scene.entries(alice)).at(-1), entry)
    assert.deepEqual(wordsOf((await scene.context(alice)).entries), ['hello', 'hi'])
    assert.equal((await scene.session(alice)).activeAtMs, activeAtMs)
  },
  'about free pages come with giving them back': async (scene) => {
    await scene.say(alice, 'x'.repeat(900_000), 'y')
    await scene.store.deleteSession({ key: alice, atMs: scene.nowMs })
    while (await scene.store.purge({ rowsMax: 10 }));
    assert.equal((await scene.store.giveBack({ pagesMax: 100_000 })).freeBytes, 0)
  },
}
