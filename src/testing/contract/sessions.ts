import assert from 'node:assert/strict'
import { parseSessionKey, type SessionKey } from '../../model/keys.ts'
import { alice, allPages, bob, type PromiseGroup, penOf, refused, type Scene, wordsOf } from './scene.ts'

const nobody = parseSessionKey('nobody')
const keysOf = (items: { key: SessionKey }[]) => items.map(({ key }) => key)

async function openAll(scene: Scene, ...names: string[]): Promise<SessionKey[]> {
  const keys = names.map(parseSessionKey)
  for (const key of keys) {
    scene.nowMs += 1
    await scene.store.openSession({ key, atMs: scene.nowMs })
  }
  return keys
}

export const sessionPromises: PromiseGroup = {
  'is empty when it is opened first': async ({ store, nowMs }) => {
    const session = await store.openSession({ key: alice, atMs: nowMs })
    assert.deepEqual(session, {
      key: alice,
      agentId: 'main',
      kind: 'other',
      state: 'open',
      title: null,
      pinned: false,
      transcript: 1,
      transcriptAtMs: nowMs,
      head: 0,
      fence: 0,
      contextTokens: 0,
      meterRatio: 1,
      turnsTotal: 0,
      queuedTurns: 0,
      running: false,
      createdAtMs: nowMs,
      activeAtMs: nowMs,
      archivedAtMs: null,
    })
  },
  'is found, not made, when it is opened again': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    const before = await scene.session(alice)
    const again = await scene.store.openSession({ key: alice, atMs: scene.nowMs + 5 })
    assert.deepEqual(again, before)
  },
  'that nobody opened reads as null': async ({ store }) => assert.equal(await store.readSession(nobody), null),
  'counts its turns and what waits': async (scene) => {
    await scene.say(alice, 'one', '1')
    await scene.begin(alice, 'two')
    await scene.admit(alice, 'three')
    const { turnsTotal, queuedTurns, running, head } = await scene.session(alice)
    assert.deepEqual(
      { turnsTotal, queuedTurns, running, head },
      { turnsTotal: 3, queuedTurns: 1, running: true, head: 3 },
    )
  },

  'is listed by newest activity first': async (scene) => {
    const [a, b, c] = await openAll(scene, 'a', 'b', 'c')
    scene.nowMs += 10
    await scene.say(a as SessionKey, 'hello', 'hi')
    const { items, next } = await scene.store.listSessions({ limit: 10 })
    assert.deepEqual([keysOf(items), next], [[a, c, b], null])
  },
  'is listed once, whatever happens to others between two pages': async (scene) => {
    const keys = await openAll(scene, 'a', 'b', 'c', 'd', 'e')
    const found = await allPages(
      (after) => scene.store.listSessions({ limit: 2, ...after }),
      async (page) => void (await openAll(scene, `new-${page}`)),
    )
    assert.deepEqual(keysOf(found), keys.toReversed())
  },
  'is listed once when many have the same time': async (scene) => {
    const keys = ['a', 'b', 'c', 'd', 'e'].map(parseSessionKey)
    for (const key of keys) await scene.store.openSession({ key, atMs: scene.nowMs })
    const found = await allPages((after) => scene.store.listSessions({ limit: 1, ...after }))
    assert.deepEqual(keysOf(found).sort(), keys)
  },
  'is listed by kind, agent and state': async (scene) => {
    const [direct, cron, other] = await openAll(scene, 'agent:a1:telegram:direct:42', 'agent:a1:cron:7', 'agent:a2:x')
    await scene.store.archiveSession({ key: other as SessionKey, atMs: scene.nowMs })
    const list = async (query: object) => keysOf((await scene.store.listSessions({ limit: 10, ...query })).items)
    assert.deepEqual(await list({ kind: 'direct' }), [direct])
    assert.deepEqual(await list({ agentId: 'a1' }), [cron, direct])
    assert.deepEqual(await list({ state: 'open' }), [cron, direct])
    assert.deepEqual(await list({ state: 'archived' }), [other])
    assert.deepEqual(await list({ agentId: 'a1', kind: 'heartbeat' }), [])
  },
  'is listed by the literal prefix of its key': async (scene) => {
    const [under, plain, big] = await openAll(scene, 'a_1', 'ab1', 'A_1')
    const list = async (prefix: string) => keysOf((await scene.store.listSessions({ limit: 10, prefix })).items)
    assert.deepEqual(await list('agent:main:a_'), [under])
    assert.deepEqual(await list('agent:main:a'), [plain, under])
    assert.deepEqual(await list('agent:main:A'), [big])
    assert.deepEqual(await list('agent:main:%'), [])
  },
  'is listed as busy while it runs or waits': async (scene) => {
    await openAll(scene, 'idle')
    await scene.begin(alice, 'hello')
    await scene.admit(bob, 'hello')
    const list = async (busy: boolean) => keysOf((await scene.store.listSessions({ limit: 10, busy })).items)
    assert.deepEqual((await list(true)).sort(), [alice, bob])
    assert.deepEqual(await list(false), [parseSessionKey('idle')])
  },
  'list refuses a cursor that is not its own': async ({ store }) => {
    await refused('CURSOR_INVALID', store.listSessions({ limit: 10, after: 'nonsense' }))
  },

  'takes a title and a pin, each alone': async (scene) => {
    await openAll(scene, 'alice')
    const patch = (change: { title?: string | null; pinned?: boolean }) =>
      scene.store.patchSession({ key: alice, ...change, atMs: scene.nowMs })
    assert.equal((await patch({ title: 'Träume 🌊' })).title, 'Träume 🌊')
    const pinned = await patch({ pinned: true })
    assert.deepEqual([pinned.title, pinned.pinned], ['Träume 🌊', true])
    const cleared = await patch({ title: null })
    assert.deepEqual([cleared.title, cleared.pinned], [null, true])
    await refused('SESSION_NOT_FOUND', scene.store.patchSession({ key: nobody, title: 'x', atMs: scene.nowMs }))
  },

  'that is reset begins a new transcript with an event, and keeps the old one': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    const before = await scene.session(alice)
    const reset = await scene.store.resetSession({ key: alice, reason: 'enough', atMs: scene.nowMs })
    assert.deepEqual([reset.previousTranscript, reset.cancelledTurnId], [1, null])
    assert.deepEqual([reset.session.transcript, reset.session.head, reset.session.contextTokens], [2, 1, 0])
    assert.ok(reset.session.fence >= before.fence, 'a fence never falls')
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['(event)'])
    assert.deepEqual(wordsOf(await scene.entries(alice, 1)), ['hello', 'hi'])
    const [event] = await scene.entries(alice)
    assert.deepEqual([event?.seq, event?.kind, event?.turnId], [1, 'event', null])
    await refused('SESSION_NOT_FOUND', scene.store.resetSession({ key: nobody, reason: 'x', atMs: scene.nowMs }))
  },
  'that is reset cancels its running turn and fences it off': async (scene) => {
    const claim = await scene.begin(alice, 'hello')
    const reset = await scene.store.resetSession({ key: alice, reason: 'enough', atMs: scene.nowMs })
    assert.equal(reset.cancelledTurnId, claim.turn.id)
    assert.ok(reset.session.fence > claim.fence, 'the fence grows')
    assert.equal(reset.session.running, false)
    const turn = await scene.turn(claim.turn.id)
    assert.deepEqual([turn.status, turn.outcome?.code, turn.settledAtMs], ['cancelled', 'TURN_CANCELLED', scene.nowMs])
    await refused('FENCED', scene.append(penOf(claim), 'late'))
    await refused('FENCED', scene.settle(claim, 'late'))
    await refused(
      'FENCED',
      scene.store.recordProgress({ key: alice, fence: claim.fence, note: 'late', atMs: scene.nowMs }),
    )
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['(event)'])
    assert.deepEqual(await scene.store.listLeases(), [])
  },
  'that is reset keeps its waiting turns, which run in the new transcript': async (scene) => {
    await scene.begin(alice, 'one')
    const { turn } = await scene.admit(alice, 'two')
    await scene.store.resetSession({ key: alice, reason: 'enough', atMs: scene.nowMs })
    const claim = await scene.claim()
    assert.deepEqual([claim.turn.id, claim.session.transcript, claim.head], [turn.id, 2, 2])
    await scene.settle(claim, 'second')
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['(event)', 'two', 'second'])
  },
  'can be reset when it is empty, and when it is archived': async (scene) => {
    await openAll(scene, 'alice')
    await scene.store.archiveSession({ key: alice, atMs: scene.nowMs })
    const { session } = await scene.store.resetSession({ key: alice, reason: 'x', atMs: scene.nowMs })
    assert.deepEqual([session.transcript, session.head], [2, 1])
  },

  'that is archived says since when, and can be archived again': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    scene.nowMs += 5
    const archived = await scene.store.archiveSession({ key: alice, atMs: scene.nowMs })
    assert.deepEqual([archived.state, archived.archivedAtMs], ['archived', scene.nowMs])
    const again = await scene.store.archiveSession({ key: alice, atMs: scene.nowMs })
    assert.deepEqual(again, archived)
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hello', 'hi'])
    await refused('SESSION_NOT_FOUND', scene.store.archiveSession({ key: nobody, atMs: scene.nowMs }))
  },
  'cannot be archived while it runs or waits': async (scene) => {
    await scene.admit(alice, 'hello')
    await refused('SESSION_BUSY', scene.store.archiveSession({ key: alice, atMs: scene.nowMs }))
    await scene.claim()
    await refused('SESSION_BUSY', scene.store.archiveSession({ key: alice, atMs: scene.nowMs }))
    assert.equal((await scene.session(alice)).state, 'open')
  },
  'cannot be archived while a turn of it is to run again': async (scene) => {
    await scene.begin(alice, 'hello')
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs: scene.nowMs })
    await refused('SESSION_BUSY', scene.store.archiveSession({ key: alice, atMs: scene.nowMs }))
  },
  'that is archived is opened again by its next message': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    await scene.store.archiveSession({ key: alice, atMs: scene.nowMs })
    const claim = await scene.begin(alice, 'me again')
    assert.deepEqual([claim.session.state, claim.session.archivedAtMs, claim.session.transcript], ['open', null, 1])
    await scene.settle(claim, 'welcome back')
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hello', 'hi', 'me again', 'welcome back'])
  },

  'is searched for entries that hold every word, newest first': async (scene) => {
    await scene.say(alice, 'the red fox', 'a fox that is red 🦊')
    await scene.say(bob, 'red only', 'fox and red in the other session')
    const hits = await scene.store.searchEntries({ text: 'red fox', limit: 10 })
    assert.deepEqual(
      hits.items.map(({ sessionKey, entry }) => [sessionKey, entry.seq]),
      [
        [bob, 2],
        [alice, 2],
        [alice, 1],
      ],
    )
    const mine = await allPages((after) =>
      scene.store.searchEntries({ text: 'fox red', limit: 1, key: alice, ...after }),
    )
    assert.deepEqual(
      mine.map(({ entry }) => entry.seq),
      [2, 1],
    )
    assert.deepEqual((await scene.store.searchEntries({ text: '🦊', limit: 10 })).items.length, 1)
  },
  'search refuses a cursor that is not its own': async ({ store }) => {
    await refused('CURSOR_INVALID', store.searchEntries({ text: 'x', limit: 10, after: 'nonsense' }))
  },
  'is searched for words as they stand, without wildcards': async (scene) => {
    await scene.say(alice, 'a 100% sure_thing', '100 percent surely')
    const found = async (text: string) => (await scene.store.searchEntries({ text, limit: 10 })).items.length
    assert.deepEqual([await found('100%'), await found('sure_'), await found('%'), await found('s_re')], [1, 1, 1, 0])
  },
}
