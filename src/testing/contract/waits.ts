import assert from 'node:assert/strict'
import { parseSessionKey } from '../../model/keys.ts'
import type { WaitQuery } from '../../store/waits.ts'
import { alice, bob, closedLanes, holderNamed, type PromiseGroup, refused, type Scene } from './scene.ts'

const list = async (scene: Scene, more: Partial<WaitQuery> = {}) =>
  scene.store.listWaits({
    ...{ lane: 'main', status: 'queued', after: null, beganByMs: scene.nowMs, limit: 100 },
    ...more,
  })
const idsOf = (waits: readonly { turnId: string }[]) => waits.map(({ turnId }) => turnId)
const session = (number: number) => parseSessionKey(`s${number}`)

export const waitPromises: PromiseGroup = {
  'says who waits since when, what stands before it, and who has its session': async (scene) => {
    const since = scene.nowMs
    const { turn: running } = await scene.begin(alice, 'runs')
    const { turn: behind } = await scene.admit(alice, 'behind', { source: 'telegram' })
    scene.nowMs += 5
    const { turn: first } = await scene.admit(bob, 'first')
    const { turn: second } = await scene.admit(bob, 'second')
    const other = { lane: 'main', status: 'queued', source: 'test', heldBy: null } as const
    assert.deepEqual(await list(scene), [
      {
        ...other,
        ...{ turnId: behind.id, position: behind.position, sessionKey: alice, source: 'telegram' },
        ...{ sinceMs: since, first: false, heldBy: 'holder-1' },
      },
      { ...other, turnId: first.id, position: first.position, sessionKey: bob, sinceMs: since + 5, first: true },
      { ...other, turnId: second.id, position: second.position, sessionKey: bob, sinceMs: since + 5, first: false },
    ])
    assert.ok(!idsOf(await list(scene)).includes(running.id))
    assert.deepEqual(await list(scene, { lane: 'cron' }), [])
  },
  'is listed once, by pages, while others come and go, also those of one moment': async (scene) => {
    const admitted: string[] = []
    for (let number = 0; number < 7; number += 1) {
      if (number === 4) scene.nowMs += 1
      admitted.push((await scene.admit(session(number), 'x')).turn.id)
    }
    const found: string[] = []
    for (let after: WaitQuery['after'] = null; ; ) {
      const page = await list(scene, { after, limit: 2 })
      const last = page.at(-1)
      if (last === undefined) break
      found.push(...idsOf(page))
      after = { sinceMs: last.sinceMs, position: last.position }
      if (found.length === 2) await scene.claim()
    }
    assert.deepEqual(found, admitted)
  },
  'is listed when it is as long as was asked for': async (scene) => {
    const { turn } = await scene.admit(alice, 'x')
    scene.nowMs += 10
    await scene.admit(bob, 'y')
    assert.deepEqual(idsOf(await list(scene, { beganByMs: scene.nowMs - 10 })), [turn.id])
    assert.deepEqual(await list(scene, { beganByMs: scene.nowMs - 11 }), [])
  },
  'of an interrupted turn begins when it was found so, and anew when it is queued again': async (scene) => {
    const { turn } = await scene.begin(alice, 'x')
    scene.nowMs += 1_000
    const foundAtMs = scene.nowMs
    await scene.store.expireLeases({ holderIds: ['holder-1'], handedOver: false, limit: 100, atMs: foundAtMs })
    const [interrupted] = await list(scene, { status: 'interrupted' })
    assert.deepEqual([interrupted?.turnId, interrupted?.sinceMs, interrupted?.first], [turn.id, foundAtMs, false])
    assert.deepEqual(await list(scene, { status: 'interrupted', beganByMs: foundAtMs - 1 }), [])
    const after = { sinceMs: foundAtMs, position: turn.position }
    assert.deepEqual(await list(scene, { status: 'interrupted', after }), [])
    scene.nowMs += 50
    await scene.store.requeueTurn({ turnId: turn.id, lane: 'resume', atMs: scene.nowMs })
    assert.deepEqual(await list(scene, { status: 'interrupted' }), [])
    const [queued] = await list(scene, { lane: 'resume' })
    assert.deepEqual([queued?.turnId, queued?.sinceMs, queued?.first], [turn.id, scene.nowMs, true])
  },
  'counts in its lane, with the longest and with who sent the most': async (scene) => {
    const { turn: running } = await scene.begin(alice, 'runs')
    await scene.store.recordProgress({ key: alice, fence: 1, note: 'asks', atMs: scene.nowMs + 3 })
    const { turn: oldest } = await scene.admit(bob, 'first', { lane: 'cron', source: 'b' })
    for (const [number, source] of ['a', 'c', 'a', 'b', 'a'].entries()) {
      scene.nowMs += 1
      await scene.admit(session(number), 'x', { lane: 'cron', source })
    }
    const { lanes, running: runs } = await scene.store.readLanes()
    const cron = lanes.find(({ lane }) => lane === 'cron')
    assert.deepEqual([cron?.queued, cron?.interrupted, cron?.running, cron?.oldest?.turnId], [6, 0, 0, oldest.id])
    assert.deepEqual(cron?.sources, [
      { source: 'a', waiting: 3 },
      { source: 'b', waiting: 2 },
      { source: 'c', waiting: 1 },
    ])
    const main = lanes.find(({ lane }) => lane === 'main')
    assert.deepEqual([main?.queued, main?.running, main?.oldest, main?.sources], [0, 1, null, []])
    assert.deepEqual(runs, [
      {
        ...{ turnId: running.id, sessionKey: alice, lane: 'main', source: 'test' },
        holder: { id: 'holder-1', pid: 7, host: 'here' },
        ...{ takenAtMs: scene.nowMs - 5, progressAtMs: scene.nowMs - 2, progressNote: 'asks' },
      },
    ])
  },
  'names those that run longest first': async (scene) => {
    const begun: string[] = []
    for (const key of [bob, alice, session(1)]) {
      begun.push((await scene.begin(key, 'x')).turn.id)
      scene.nowMs += 1
    }
    assert.deepEqual(idsOf((await scene.store.readLanes()).running), begun)
  },
  'is counted in its session, with those of its lane that were queued before': async (scene) => {
    const since = scene.nowMs
    for (let number = 0; number < 3; number += 1) await scene.admit(session(number), 'x')
    await scene.admit(session(9), 'elsewhere', { lane: 'cron' })
    await scene.admit(alice, 'one')
    scene.nowMs += 5
    await scene.admit(alice, 'two')
    assert.deepEqual(await scene.store.readQueue(alice), { waiting: 2, oldestAtMs: since, aheadInLane: 3 })
    assert.deepEqual((await scene.store.readQueue(session(0))).aheadInLane, 0)
    await scene.store.openSession({ key: session(7), atMs: scene.nowMs })
    assert.deepEqual(await scene.store.readQueue(session(7)), { waiting: 0, oldestAtMs: null, aheadInLane: 0 })
    await refused('SESSION_NOT_FOUND', scene.store.readQueue(session(8)))
  },
  'is no wait any more when it runs or was cancelled': async (scene) => {
    await scene.admit(alice, 'x')
    const { turn } = await scene.admit(bob, 'y')
    await scene.claim({ holder: holderNamed('holder-3') })
    await scene.store.cancelTurn({ turnId: turn.id, reason: 'x', atMs: scene.nowMs })
    assert.deepEqual([await list(scene), await scene.tryClaim({ rules: closedLanes })], [[], null])
  },
}
