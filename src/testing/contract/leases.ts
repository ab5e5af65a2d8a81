import assert from 'node:assert/strict'
import { alice, bob, holderNamed, type PromiseGroup, penOf, refused, type Scene, wordsOf } from './scene.ts'

const expire = (scene: Scene, ...holderIds: string[]) =>
  scene.store.expireLeases({ holderIds, handedOver: false, limit: 100, atMs: scene.nowMs })

export const leasePromises: PromiseGroup = {
  'says who holds what since when': async (scene) => {
    assert.deepEqual(await scene.store.listLeases(), [])
    const claim = await scene.begin(alice, 'hello')
    const [lease] = await scene.store.listLeases()
    assert.deepEqual(
      [lease?.sessionKey, lease?.turnId, lease?.fence, lease?.operation, lease?.takenAtMs, lease?.progressAtMs],
      [alice, claim.turn.id, claim.fence, 'turn', scene.nowMs, scene.nowMs],
    )
  },
  'outlives its process, and is still refused to others': async (scene) => {
    const claim = await scene.begin(alice, 'hello')
    await scene.admit(alice, 'waiting')
    await scene.reopen(holderNamed('holder-2'))
    const [lease] = await scene.store.listLeases()
    assert.deepEqual([lease?.turnId, lease?.holder], [claim.turn.id, scene.holder])
    assert.equal(await scene.tryClaim({ holder: holderNamed('holder-2') }), null)
  },
  'of an ended holder is taken from it: its turn is interrupted, the queue goes on': async (scene) => {
    const claim = await scene.begin(alice, 'hello')
    const waiting = await scene.admit(alice, 'waiting')
    scene.nowMs += 10
    const turns = await expire(scene, 'holder-1')
    assert.deepEqual(
      turns.map(({ id, status }) => [id, status]),
      [[claim.turn.id, 'interrupted']],
    )
    assert.deepEqual(await scene.store.listLeases(), [])
    const session = await scene.session(alice)
    assert.ok(session.fence > claim.fence, 'the fence grows')
    assert.equal(session.running, false)
    const next = await scene.claim()
    assert.deepEqual([next.turn.id, next.fence > session.fence], [waiting.turn.id, true])
  },
  'of an ended holder is no good for late writes': async (scene) => {
    const claim = await scene.begin(alice, 'hello')
    await expire(scene, 'holder-1')
    await refused('FENCED', scene.append(penOf(claim), 'late'))
    await refused('FENCED', scene.settle(claim, 'late'))
    await refused('FENCED', scene.store.recordProgress({ key: alice, fence: claim.fence, note: '', atMs: scene.nowMs }))
    assert.equal((await scene.store.statistics()).fencedWrites, 3)
    assert.deepEqual(wordsOf((await scene.entries(alice)).filter(({ kind }) => kind !== 'event')), ['hello'])
  },
  'of another holder stays': async (scene) => {
    await scene.begin(alice, 'one')
    await scene.admit(bob, 'two')
    const other = await scene.claim({ holder: holderNamed('holder-2') })
    const turns = await expire(scene, 'holder-1', 'never-seen')
    assert.equal(turns.length, 1)
    assert.deepEqual(
      (await scene.store.listLeases()).map(({ turnId }) => turnId),
      [other.turn.id],
    )
    await scene.append(penOf(other), 'still mine')
  },
  'is expired once': async (scene) => {
    await scene.begin(alice, 'one')
    assert.equal((await expire(scene, 'holder-1')).length, 1)
    const { fence } = await scene.session(alice)
    scene.nowMs += 1
    assert.deepEqual([await expire(scene, 'holder-1'), await expire(scene)], [[], []])
    assert.equal((await scene.session(alice)).fence, fence)
  },
  'has a fence that never falls, whatever happens to the session': async (scene) => {
    const fences: number[] = []
    const look = async () => fences.push((await scene.session(alice)).fence)
    await scene.say(alice, 'one', '1')
    await look()
    await scene.begin(alice, 'two')
    await look()
    await expire(scene, 'holder-1')
    await look()
    await scene.store.resetSession({ key: alice, reason: 'x', atMs: scene.nowMs })
    await look()
    await scene.store.archiveSession({ key: alice, atMs: scene.nowMs }).catch(() => {})
    await look()
    await scene.reopen()
    await look()
    const claim = await scene.begin(alice, 'three')
    await look()
    await scene.store.revokeTurn({
      turnId: claim.turn.id,
      status: 'cancelled',
      outcome: { code: 'TURN_CANCELLED', message: '', facts: {}, retryAfterMs: null },
      atMs: scene.nowMs,
    })
    await look()
    assert.deepEqual(
      fences,
      fences.toSorted((a, b) => a - b),
    )
    assert.ok((fences.at(-1) as number) > (fences[0] as number))
  },
}
