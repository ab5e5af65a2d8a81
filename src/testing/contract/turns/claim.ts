import assert from 'node:assert/strict'
import { parseSessionKey } from '../../../model/keys.ts'
import type { LaneName } from '../../../model/lanes.ts'
import { alice, bob, closedLanes, lanesOf, type PromiseGroup, penOf, type Scene, wordsOf } from '../scene.ts'

const carol = parseSessionKey('carol')

async function admitIn(scene: Scene, lanes: LaneName[]): Promise<void> {
  for (const lane of lanes) await scene.admit(parseSessionKey(`in-${lane}`), lane, { lane })
}

export const claimPromises: PromiseGroup = {
  'is null where nothing waits': async (scene) => {
    assert.equal(await scene.tryClaim(), null)
    await scene.say(alice, 'hello', 'hi')
    assert.equal(await scene.tryClaim(), null)
  },
  'takes the turn, its lease and a new fence, and writes its messages, in one step': async (scene) => {
    const request = {
      instructions: [{ role: 'system' as const, content: 'be brief' }],
      params: { seed: 7 },
      streaming: true,
    }
    const { turn } = await scene.admit(alice, 'hello', { request, source: 'telegram' })
    scene.nowMs += 250
    const claim = await scene.claim()
    assert.deepEqual([claim.fence, claim.head, claim.waitedMs], [1, 1, 250])
    assert.deepEqual(claim.request, request)
    assert.deepEqual(claim.inbound, [
      { dedupeKey: null, messages: [{ role: 'user', content: 'hello' }], atMs: scene.nowMs - 250 },
    ])
    const { id, status, attempts, startedAtMs, source } = claim.turn
    assert.deepEqual([id, status, attempts, startedAtMs, source], [turn.id, 'running', 1, scene.nowMs, 'telegram'])
    assert.deepEqual([claim.session.running, claim.session.fence, claim.session.queuedTurns], [true, 1, 0])
    const [lease, ...others] = await scene.store.listLeases()
    assert.deepEqual(others, [])
    assert.deepEqual([lease?.turnId, lease?.fence, lease?.takenAtMs], [turn.id, 1, scene.nowMs])
    assert.deepEqual(lease?.holder, scene.holder)
    const [entry] = await scene.entries(alice)
    assert.deepEqual([entry?.seq, entry?.kind, entry?.turnId, entry?.attempt, entry?.tokens], [1, 'user', id, 1, 5])
  },
  'writes several messages in their order, each with its kind': async (scene) => {
    const messages = [
      { role: 'tool' as const, tool_call_id: 'c', content: 'result' },
      { role: 'user' as const, content: 'and now?' },
    ]
    const claim = await scene.begin(alice, '', { messages, tokens: [3, 4] })
    assert.equal(claim.head, 2)
    const entries = await scene.entries(alice)
    assert.deepEqual(
      entries.map(({ kind, tokens, body }) => [kind, tokens, body]),
      messages.map((message, index) => [message.role, index + 3, message]),
    )
  },
  'writes the messages of a turn that others joined in the order in which they came': async (scene) => {
    const busy = await scene.begin(alice, 'busy')
    for (const text of ['one', 'two', 'three']) await scene.admit(alice, text, { onBusy: 'coalesce' })
    await scene.settle(busy, 'done')
    scene.nowMs += 10_000
    const claim = await scene.claim()
    assert.deepEqual([claim.inbound.length, claim.head], [3, 5])
    assert.deepEqual(wordsOf(await scene.entries(alice)).slice(2), ['one', 'two', 'three'])
  },
  'takes a turn that collected messages when a clock was set back': async (scene) => {
    const { turn } = await scene.admit(alice, 'hello', { onBusy: 'coalesce', coalesceMs: 1_000 })
    scene.nowMs -= 1_000_000_000
    assert.equal((await scene.claim()).turn.id, turn.id)
  },
  'leaves a turn that collects messages until its window closes, at the millisecond': async (scene) => {
    assert.equal((await scene.store.statistics()).nextDueAtMs, null)
    const { turn } = await scene.admit(alice, 'one', { onBusy: 'coalesce', coalesceMs: 1_000 })
    const dueMs = scene.nowMs + 1_000
    assert.equal((await scene.store.statistics()).nextDueAtMs, dueMs)
    scene.nowMs = dueMs - 1
    await scene.admit(alice, 'two', { onBusy: 'coalesce', coalesceMs: 1_000 })
    assert.equal(await scene.tryClaim(), null)
    await scene.admit(bob, 'is not held up')
    assert.equal((await scene.claim()).turn.sessionKey, bob)
    scene.nowMs = dueMs
    const claim = await scene.claim()
    assert.deepEqual([claim.turn.id, claim.inbound.length], [turn.id, 2])
    assert.equal((await scene.store.statistics()).nextDueAtMs, null)
  },
  'never takes a second turn of a session that runs': async (scene) => {
    await scene.begin(alice, 'one')
    await scene.admit(alice, 'two')
    assert.equal(await scene.tryClaim(), null)
    await scene.admit(bob, 'one')
    assert.equal((await scene.claim()).turn.sessionKey, bob)
    assert.equal(await scene.tryClaim(), null)
  },
  'takes the turns of one session in the order of admission': async (scene) => {
    for (const text of ['one', 'two', 'three']) await scene.admit(alice, text)
    for (const text of ['1', '2', '3']) await scene.settle(await scene.claim(), text)
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['one', '1', 'two', '2', 'three', '3'])
  },
  'takes sessions of a lane in the order in which they became ready': async (scene) => {
    for (const key of [bob, alice, carol]) {
      await scene.admit(key, 'hello')
      scene.nowMs += 1
    }
    const taken = [await scene.claim(), await scene.claim(), await scene.claim()]
    assert.deepEqual(
      taken.map(({ turn }) => turn.sessionKey),
      [bob, alice, carol],
    )
  },
  'takes lanes in their order': async (scene) => {
    await admitIn(scene, ['background', 'resume', 'cron', 'subagent', 'main'])
    const taken: LaneName[] = []
    for (let count = 0; count < 5; count += 1) taken.push((await scene.claim()).turn.lane)
    assert.deepEqual(taken, ['main', 'subagent', 'cron', 'resume', 'background'])
  },
  'keeps to the slots of a lane, and a full lane hides no other': async (scene) => {
    for (const key of [alice, bob]) await scene.admit(key, 'hello')
    await admitIn(scene, ['cron'])
    const rules = lanesOf({ main: 1, cron: 1 })
    const first = await scene.claim({ rules })
    assert.equal((await scene.claim({ rules })).turn.lane, 'cron')
    assert.equal(await scene.tryClaim({ rules }), null)
    await scene.settle(first, 'done')
    assert.equal((await scene.claim({ rules })).turn.sessionKey, bob)
  },
  'takes nothing where every lane is closed': async (scene) => {
    await admitIn(scene, ['main', 'cron'])
    assert.equal(await scene.tryClaim({ rules: closedLanes }), null)
  },
  'tells how long the turn waited since it was admitted, and since it was ready': async (scene) => {
    const first = await scene.begin(alice, 'one')
    await scene.admit(alice, 'two')
    scene.nowMs += 400
    await scene.settle(first, 'done')
    scene.nowMs += 30
    const second = await scene.claim()
    assert.deepEqual(
      [second.waitedMs, second.turn.readyAtMs, second.turn.blockedBy],
      [430, scene.nowMs - 30, 'session'],
    )
  },
  'of a session grows its fence by one, however the turn before it ended': async (scene) => {
    const fences: number[] = []
    for (const text of ['one', 'two', 'three']) {
      const claim = await scene.begin(alice, text)
      fences.push(claim.fence)
      await scene.settle(claim, 'done')
    }
    assert.deepEqual(fences, [1, 2, 3])
  },
  'shows its progress in the lease and in the turn': async (scene) => {
    const pen = penOf(await scene.begin(alice, 'hello'))
    scene.nowMs += 90
    await scene.store.recordProgress({ key: alice, fence: pen.fence, note: 'asking the model', atMs: scene.nowMs })
    const [lease] = await scene.store.listLeases()
    assert.deepEqual([lease?.progressAtMs, lease?.progressNote], [scene.nowMs, 'asking the model'])
    assert.equal((await scene.turn(pen.turnId)).progressAtMs, scene.nowMs)
  },
}
