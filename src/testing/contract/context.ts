import assert from 'node:assert/strict'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import { parseSessionKey } from '../../model/keys.ts'
import { alice, type PromiseGroup, penOf, refused, type Scene, wordsOf } from './scene.ts'

const failedWith = (code: 'MODEL_REJECTED' | 'MODEL_TIMEOUT') => ({
  status: 'failed' as const,
  outcome: recordOf(new HoldfastError(code)),
})

/** Four entries: q1 a1 q2 a2, two tokens each. */
async function twoTurns(scene: Scene): Promise<void> {
  await scene.say(alice, 'q1', 'a1')
  await scene.say(alice, 'q2', 'a2')
}

const summarise = (scene: Scene, uptoSeq: number, text: string, baseId: number | null = null) =>
  scene.store.commitSummary({
    key: alice,
    transcript: 1,
    baseId,
    uptoSeq,
    kind: 'model',
    text,
    tokens: 1,
    atMs: scene.nowMs,
  })

export const contextPromises: PromiseGroup = {
  'of an empty session is empty': async (scene) => {
    await scene.store.openSession({ key: alice, atMs: scene.nowMs })
    assert.deepEqual(await scene.context(alice), {
      transcript: 1,
      head: 0,
      summary: null,
      entries: [],
      olderCount: 0,
      olderTokens: 0,
      meterRatio: 1,
    })
    await refused('SESSION_NOT_FOUND', scene.context(parseSessionKey('nobody')))
  },
  'is what was said, oldest first, without events': async (scene) => {
    await twoTurns(scene)
    await scene.say(alice, 'q3', null, {
      entries: [scene.entry('', { kind: 'event', body: { code: 'NOTE', text: 'x' }, tokens: 9 }), scene.entry('a3')],
      meterRatio: 1.25,
    })
    const context = await scene.context(alice)
    assert.deepEqual(wordsOf(context.entries), ['q1', 'a1', 'q2', 'a2', 'q3', 'a3'])
    assert.deepEqual([context.head, context.meterRatio, context.olderCount, context.olderTokens], [7, 1.25, 0, 0])
  },
  'holds what the tokens allow, to the token': async (scene) => {
    await twoTurns(scene)
    const fits = async (tokensMax: number) => {
      const { entries, olderCount, olderTokens } = await scene.context(alice, { tokensMax })
      return [wordsOf(entries).join(' '), olderCount, olderTokens]
    }
    assert.deepEqual(await fits(8), ['q1 a1 q2 a2', 0, 0])
    assert.deepEqual(await fits(7), ['a1 q2 a2', 1, 2])
    assert.deepEqual(await fits(4), ['q2 a2', 2, 4])
    assert.deepEqual(await fits(3), ['a2', 3, 6])
    assert.deepEqual(await fits(1), ['a2', 3, 6])
    assert.deepEqual(await fits(0), ['a2', 3, 6])
  },
  'holds what the bytes allow, and at least the last entry': async (scene) => {
    const large = 'ü'.repeat(50_000)
    await scene.say(alice, large, large)
    const count = async (bytesMax: number) => (await scene.context(alice, { bytesMax })).entries.length
    assert.deepEqual([await count(250_000), await count(150_000), await count(1)], [2, 1, 1])
    assert.equal((await scene.context(alice, { bytesMax: 1 })).olderCount, 1)
  },
  'begins after the newest summary': async (scene) => {
    await twoTurns(scene)
    const first = await summarise(scene, 2, 'one')
    let context = await scene.context(alice)
    assert.deepEqual([context.summary?.text, wordsOf(context.entries)], ['one', ['q2', 'a2']])
    await summarise(scene, 3, 'two', first.id)
    context = await scene.context(alice)
    assert.deepEqual([context.summary?.text, wordsOf(context.entries)], ['two', ['a2']])
  },
  'falls back on the summary before when the newest is undone': async (scene) => {
    await twoTurns(scene)
    const first = await summarise(scene, 2, 'one')
    const second = await summarise(scene, 4, 'two', first.id)
    assert.deepEqual((await scene.context(alice)).entries, [])
    await scene.store.undoSummary({ key: alice, summaryId: second.id, atMs: scene.nowMs })
    let context = await scene.context(alice)
    assert.deepEqual([context.summary?.text, wordsOf(context.entries)], ['one', ['q2', 'a2']])
    await scene.store.undoSummary({ key: alice, summaryId: first.id, atMs: scene.nowMs })
    context = await scene.context(alice)
    assert.deepEqual([context.summary, wordsOf(context.entries)], [null, ['q1', 'a1', 'q2', 'a2']])
  },
  'leaves out the turn that is being answered': async (scene) => {
    await twoTurns(scene)
    const claim = await scene.begin(alice, 'q3')
    await scene.append(penOf(claim), 'calling')
    const context = await scene.context(alice, { exceptTurnId: claim.turn.id })
    assert.deepEqual([wordsOf(context.entries), context.head], [['q1', 'a1', 'q2', 'a2'], 6])
    assert.deepEqual(wordsOf((await scene.context(alice)).entries).slice(4), ['q3', 'calling'])
  },
  'leaves out what an interrupted attempt wrote, and shows its question once': async (scene) => {
    await scene.say(alice, 'q1', 'a1')
    const first = await scene.begin(alice, 'q2')
    await scene.append(penOf(first), 'half')
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs: scene.nowMs })
    await scene.store.requeueTurn({ turnId: first.turn.id, lane: 'resume', atMs: scene.nowMs })
    const second = await scene.claim()
    assert.deepEqual([second.turn.id, second.turn.attempts], [first.turn.id, 2])
    assert.deepEqual(wordsOf((await scene.context(alice, { exceptTurnId: first.turn.id })).entries), ['q1', 'a1'])
    await scene.settle(second, 'whole')
    assert.deepEqual(wordsOf((await scene.context(alice)).entries), ['q1', 'a1', 'q2', 'whole'])
    assert.ok(wordsOf(await scene.entries(alice)).includes('half'), 'the transcript keeps everything')
  },
  'leaves out turns that the model refused, and no other failure': async (scene) => {
    await scene.say(alice, 'q1', 'a1')
    await scene.settle(await scene.begin(alice, 'poison'), null, failedWith('MODEL_REJECTED'))
    await scene.settle(await scene.begin(alice, 'slow'), null, failedWith('MODEL_TIMEOUT'))
    const context = await scene.context(alice)
    assert.deepEqual([wordsOf(context.entries), context.olderCount], [['q1', 'a1', 'slow'], 0])
    const cut = await scene.context(alice, { tokensMax: 4 })
    assert.deepEqual([wordsOf(cut.entries), cut.olderCount, cut.olderTokens], [['slow'], 2, 4])
  },
  'is of the current transcript alone': async (scene) => {
    await twoTurns(scene)
    await summarise(scene, 2, 'one')
    await scene.store.resetSession({ key: alice, reason: 'x', atMs: scene.nowMs })
    const empty = await scene.context(alice)
    assert.deepEqual([empty.transcript, empty.summary, empty.entries], [2, null, []])
    await scene.say(alice, 'q3', 'a3')
    assert.deepEqual(wordsOf((await scene.context(alice)).entries), ['q3', 'a3'])
  },
  'is counted in the session, and shrinks with a summary': async (scene) => {
    await twoTurns(scene)
    assert.equal((await scene.session(alice)).contextTokens, 8)
    const summary = await summarise(scene, 2, 'one')
    assert.deepEqual([summary.replacedTokens, (await scene.session(alice)).contextTokens], [4, 5])
    await scene.store.undoSummary({ key: alice, summaryId: summary.id, atMs: scene.nowMs })
    assert.equal((await scene.session(alice)).contextTokens, 8)
  },
}
