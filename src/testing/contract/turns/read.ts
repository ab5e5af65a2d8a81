import assert from 'node:assert/strict'
import { alice, allPages, bob, type PromiseGroup, penOf, refused, wordsOf } from '../scene.ts'

export const readPromises: PromiseGroup = {
  'is null when there is none': async ({ store }) => assert.equal(await store.readTurn('nothing'), null),
  'shows what was asked, how, and the reply': async (scene) => {
    const request = { instructions: [], params: { temperature: 0.5, tools: [{ type: 'function' }] }, streaming: true }
    const { turn } = await scene.admit(alice, 'hello', { request, dedupeKey: 'k' })
    const waiting = await scene.store.readTurn(turn.id)
    assert.deepEqual(waiting, {
      turn,
      inbound: [{ dedupeKey: 'k', messages: [{ role: 'user', content: 'hello' }], atMs: scene.nowMs }],
      request,
      reply: [],
    })
    await scene.settle(await scene.claim(), 'hi')
    const done = await scene.store.readTurn(turn.id)
    assert.deepEqual([done?.request, done?.inbound, wordsOf(done?.reply ?? [])], [request, waiting?.inbound, ['hi']])
  },
  'remembers where its reply is to go': async (scene) => {
    const request = { instructions: [], params: {}, streaming: false, deliverTo: ['telegram:42', 'to "mail": x'] }
    const { turn } = await scene.admit(alice, 'hello', { request })
    assert.deepEqual((await scene.store.readTurn(turn.id))?.request, request)
    assert.deepEqual((await scene.claim()).request, request)
  },
  'shows a large message as it came': async (scene) => {
    const large = `${'🌊'.repeat(100_000)}\0`
    const { turn } = await scene.admit(alice, large)
    const detail = await scene.store.readTurn(turn.id)
    assert.ok(detail?.inbound[0]?.messages[0]?.content === large)
    const claim = await scene.claim()
    assert.ok(claim.inbound[0]?.messages[0]?.content === large)
    assert.deepEqual(wordsOf(await scene.entries(alice)), [large])
  },
  'shows the reply of a session that was reset since': async (scene) => {
    const turn = await scene.say(alice, 'hello', 'hi')
    await scene.store.resetSession({ key: alice, reason: 'x', atMs: scene.nowMs })
    await scene.say(alice, 'other', 'words')
    const detail = await scene.store.readTurn(turn.id)
    assert.deepEqual(wordsOf(detail?.reply ?? []), ['hi'])
  },
  'is listed by position, both ways': async (scene) => {
    for (const text of ['one', 'two', 'three']) await scene.admit(alice, text)
    const list = async (order: 'oldest' | 'newest') =>
      (await allPages((after) => scene.store.listTurns({ order, limit: 2, ...after }))).map(({ position }) => position)
    const oldest = await list('oldest')
    assert.deepEqual(
      oldest,
      oldest.toSorted((a, b) => a - b),
    )
    assert.deepEqual([oldest.length, await list('newest')], [3, oldest.toReversed()])
  },
  'is listed once while turns are added and end': async (scene) => {
    const before: string[] = []
    for (const text of ['one', 'two', 'three', 'four', 'five']) before.push((await scene.admit(alice, text)).turn.id)
    const found = await allPages(
      (after) => scene.store.listTurns({ order: 'newest', limit: 2, ...after }),
      async (page) => {
        await scene.admit(bob, `new ${page}`)
        const claim = await scene.claim()
        await scene.store.settleTurn(scene.settling(penOf(claim), 'done'))
      },
    )
    assert.deepEqual(
      found.map(({ id }) => id),
      before.toReversed(),
    )
  },
  'is listed by session and by status': async (scene) => {
    const done = await scene.say(alice, 'one', '1')
    const running = await scene.begin(alice, 'two')
    const waiting = await scene.admit(alice, 'three')
    const other = await scene.admit(bob, 'four')
    const list = async (query: object) =>
      (await scene.store.listTurns({ order: 'oldest', limit: 10, ...query })).items.map(({ id }) => id)
    assert.deepEqual(await list({ key: bob }), [other.turn.id])
    assert.deepEqual(await list({ statuses: ['queued'] }), [waiting.turn.id, other.turn.id])
    assert.deepEqual(await list({ statuses: ['running', 'done'] }), [done.id, running.turn.id])
    assert.deepEqual(await list({ key: alice, statuses: ['queued'] }), [waiting.turn.id])
    assert.deepEqual(await list({ statuses: ['quarantined'] }), [])
  },
  'list refuses a cursor that is not its own': async ({ store }) => {
    await refused('CURSOR_INVALID', store.listTurns({ order: 'oldest', limit: 10, after: 'nonsense' }))
  },
}
