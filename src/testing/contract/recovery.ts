import assert from 'node:assert/strict'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import { parseSessionKey } from '../../model/keys.ts'
import { alice, allPages, bob, holderNamed, type PromiseGroup, refused, type Scene, wordsOf } from './scene.ts'

const usedUp = recordOf(new HoldfastError('TURN_QUARANTINED'))

const start = (scene: Scene, name: string) => scene.store.recordStart({ holder: holderNamed(name), atMs: scene.nowMs })
const end = (scene: Scene, holderId: string) => scene.store.recordEnd({ holderId, atMs: scene.nowMs })
const release = (scene: Scene, turnId: string, newTurnId: string) =>
  scene.store.releaseTurn({ turnId, newTurnId, atMs: scene.nowMs })

/** A turn that waits in quarantine. */
async function quarantined(scene: Scene, key: typeof alice, text: string, more: { dedupeKey?: string } = {}) {
  const request = { instructions: [], params: { temperature: 1 }, streaming: false, deliverTo: ['telegram:42'] }
  const { turn } = await scene.begin(key, text, { ...more, request })
  await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs: scene.nowMs })
  return scene.store.quarantineTurn({ turnId: turn.id, outcome: usedUp, atMs: scene.nowMs })
}

export const recoveryPromises: PromiseGroup = {
  'knows which starts found no clean end before them': async (scene) => {
    assert.deepEqual(
      (await start(scene, 'a')).map(({ holderId, unclean, endedAtMs }) => [holderId, unclean, endedAtMs]),
      [['a', false, null]],
    )
    const first = scene.nowMs
    scene.nowMs += 5
    await end(scene, 'a')
    const second = scene.nowMs
    scene.nowMs += 5
    await start(scene, 'b')
    const starts = await start(scene, 'c')
    assert.deepEqual(
      starts.map(({ holderId, unclean, atMs, endedAtMs }) => [holderId, unclean, atMs, endedAtMs]),
      [
        ['c', true, scene.nowMs, null],
        ['b', false, scene.nowMs, null],
        ['a', false, first, second],
      ],
    )
    assert.deepEqual(await scene.store.listStarts(), starts)
  },
  'counts a start once, and its first end': async (scene) => {
    const starts = await start(scene, 'a')
    scene.nowMs += 5
    assert.deepEqual(await start(scene, 'a'), starts)
    await end(scene, 'a')
    const endedAtMs = scene.nowMs
    scene.nowMs += 5
    await end(scene, 'a')
    await end(scene, 'never-seen')
    assert.deepEqual(
      (await scene.store.listStarts()).map((each) => each.endedAtMs),
      [endedAtMs],
    )
  },
  'remembers the newest hundred starts': async (scene) => {
    for (let number = 1; number <= 103; number += 1) await start(scene, `s${number}`)
    const starts = await scene.store.listStarts()
    assert.deepEqual([starts.length, starts[0]?.holderId, starts.at(-1)?.holderId], [100, 's103', 's4'])
  },

  'takes leases of the ended in parts, the newest first, until none are left': async (scene) => {
    await scene.begin(alice, 'one')
    await scene.begin(bob, 'two')
    const expire = () =>
      scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 1, atMs: scene.nowMs })
    const taken: string[][] = []
    for (let round = 0; round < 3; round += 1) {
      scene.nowMs += 1
      taken.push((await expire()).map(({ sessionKey }) => sessionKey))
    }
    assert.deepEqual(taken, [[bob], [alice], []])
  },
  'counts attempts that a clean end cut short, and no others': async (scene) => {
    const { turn } = await scene.begin(alice, 'hello')
    for (const handedOver of [true, false, true]) {
      const input = { holderIds: [scene.holder.id], handedOver, limit: 9, atMs: scene.nowMs }
      await scene.store.expireLeases(input)
      await scene.store.requeueTurn({ turnId: turn.id, lane: 'resume', atMs: scene.nowMs })
      await scene.claim()
      scene.nowMs += 1
    }
    const { attempts, handedOver } = await scene.turn(turn.id)
    assert.deepEqual([attempts, handedOver], [4, 2])
  },
  'resumes turns of people before others, whatever came last': async (scene) => {
    const person = await scene.begin(alice, 'hello')
    const job = await scene.begin(parseSessionKey('agent:main:cron:nightly'), 'report')
    const { nowMs: atMs } = scene
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 9, atMs })
    for (const { turn } of [job, person]) await scene.store.requeueTurn({ turnId: turn.id, lane: 'resume', atMs })
    assert.deepEqual([(await scene.claim()).turn.id, (await scene.claim()).turn.id], [person.turn.id, job.turn.id])
  },

  'finds nothing wrong with a sound session, and repairs nothing': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    await quarantined(scene, alice, 'poison')
    await scene.begin(alice, 'running')
    await scene.admit(alice, 'waiting')
    assert.deepEqual(await scene.store.inspectSession({ key: alice }), [])
    const before = await scene.session(alice)
    assert.deepEqual(await scene.store.repairSession({ key: alice, afterSeq: 0, atMs: scene.nowMs }), { next: null })
    assert.deepEqual(await scene.session(alice), before)
    await refused('SESSION_NOT_FOUND', scene.store.inspectSession({ key: bob }))
    await refused('SESSION_NOT_FOUND', scene.store.repairSession({ key: bob, afterSeq: 0, atMs: scene.nowMs }))
  },

  'lists what is in quarantine, newest first': async (scene) => {
    const turns = [
      await quarantined(scene, alice, 'one'),
      await quarantined(scene, bob, 'two'),
      await quarantined(scene, alice, 'three'),
    ]
    await scene.say(alice, 'hello', 'hi')
    const listed = await allPages((after) => scene.store.listQuarantined({ limit: 1, ...after }))
    assert.deepEqual(
      listed.map(({ id }) => id),
      turns.map(({ id }) => id).toReversed(),
    )
    await refused('CURSOR_INVALID', scene.store.listQuarantined({ limit: 1, after: 'nonsense' }))
  },
  'admits what was in quarantine again as a new turn, once': async (scene) => {
    const old = await quarantined(scene, alice, 'poison', { dedupeKey: 'k' })
    scene.nowMs += 5
    const made = await release(scene, old.id, 'new')
    assert.deepEqual(
      [made.id, made.status, made.attempts, made.lane, made.source, made.admittedAtMs],
      ['new', 'queued', 0, old.lane, old.source, scene.nowMs],
    )
    assert.deepEqual(await release(scene, old.id, 'new'), made)
    assert.equal((await release(scene, old.id, 'another')).id, 'new')
    assert.equal((await scene.turn(old.id)).releasedAs, 'new')
    assert.deepEqual((await scene.store.listQuarantined({ limit: 9 })).items, [])
    const claim = await scene.claim()
    assert.deepEqual([claim.turn.id, claim.inbound.map(({ messages }) => messages[0]?.content)], ['new', ['poison']])
    assert.deepEqual([claim.request.params, claim.request.deliverTo], [{ temperature: 1 }, ['telegram:42']])
    await scene.settle(claim, 'well')
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['poison', '(event)', 'poison', 'well'])
    assert.deepEqual(wordsOf((await scene.context(alice)).entries), ['poison', 'well'])
    const told = (await scene.store.listUnsent({ limit: 9 })).map(({ turnId }) => turnId)
    assert.deepEqual(told, [old.id, 'new'])
  },
  'gives the released turn to whoever asks again with the dedupe key': async (scene) => {
    const old = await quarantined(scene, alice, 'poison', { dedupeKey: 'k' })
    await release(scene, old.id, 'new')
    const again = await scene.admit(alice, 'poison', { dedupeKey: 'k' })
    assert.deepEqual([again.turn.id, again.repeated], ['new', true])
  },
  'releases behind what waits in the session': async (scene) => {
    const old = await quarantined(scene, alice, 'poison')
    await scene.begin(alice, 'running')
    const made = await release(scene, old.id, 'new')
    assert.deepEqual([made.blockedBy, made.readyAtMs, await scene.tryClaim()], ['session', null, null])
  },
  'releases only what is in quarantine': async (scene) => {
    const done = await scene.say(alice, 'hello', 'hi')
    await refused('TURN_NOT_QUARANTINED', release(scene, done.id, 'new'))
    const waiting = await scene.admit(alice, 'waits')
    await refused('TURN_NOT_QUARANTINED', release(scene, waiting.turn.id, 'new'))
    await refused('TURN_NOT_FOUND', release(scene, 'nothing', 'new'))
  },
  'shows what is on its way and what waits to be sent': async (scene) => {
    await quarantined(scene, alice, 'one')
    scene.nowMs += 1
    await quarantined(scene, bob, 'two')
    assert.deepEqual(
      (await scene.store.listUnsent({ limit: 9 })).map(({ sessionKey, status }) => [sessionKey, status]),
      [
        [alice, 'pending'],
        [bob, 'pending'],
      ],
    )
    await scene.store.claimDelivery({ atMs: scene.nowMs })
    for (const key of [alice, bob]) {
      assert.deepEqual(
        (await scene.store.listUnsent({ key, limit: 1 })).map(({ sessionKey }) => sessionKey),
        [key],
      )
    }
    assert.deepEqual(await scene.store.listUnsent({ key: parseSessionKey('nobody'), limit: 1 }), [])
    assert.deepEqual(
      (await scene.store.listUnsent({ limit: 1 })).map(({ sessionKey, status, outcome }) => [
        sessionKey,
        status,
        outcome?.code,
      ]),
      [
        [alice, 'sending', 'TURN_QUARANTINED'],
        [bob, 'pending', 'TURN_QUARANTINED'],
      ],
    )
  },
}
