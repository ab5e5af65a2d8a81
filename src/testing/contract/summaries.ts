import assert from 'node:assert/strict'
import { parseSessionKey } from '../../model/keys.ts'
import type { CommitSummaryInput } from '../../store/summaries.ts'
import { alice, bob, type PromiseGroup, penOf, refused, type Scene, wordsOf } from './scene.ts'

const nobody = parseSessionKey('nobody')

/** `question` has 8 tokens and `answer` 6; a summary of both replaces 14. */
async function talked(scene: Scene): Promise<void> {
  await scene.say(alice, 'question', 'answer')
}

const commit = (scene: Scene, more: Partial<CommitSummaryInput> = {}) =>
  scene.store.commitSummary({
    key: alice,
    transcript: 1,
    baseId: null,
    uptoSeq: 2,
    kind: 'model',
    text: 'they talked',
    tokens: 3,
    atMs: scene.nowMs,
    ...more,
  })

const undo = (scene: Scene, summaryId: number) => scene.store.undoSummary({ key: alice, summaryId, atMs: scene.nowMs })

export const summaryPromises: PromiseGroup = {
  'says what it stands for, and leaves the transcript alone': async (scene) => {
    await talked(scene)
    const before = await scene.entries(alice)
    const { id, ...summary } = await commit(scene)
    assert.deepEqual(summary, {
      transcript: 1,
      baseId: null,
      uptoSeq: 2,
      kind: 'model',
      text: 'they talked',
      tokens: 3,
      replacedTokens: 14,
      atMs: scene.nowMs,
      undoneAtMs: null,
    })
    assert.deepEqual(await scene.entries(alice), before)
    assert.deepEqual(await scene.store.listSummaries(alice), [{ id, ...summary }])
  },
  'continues the one before, and stands for that too': async (scene) => {
    await talked(scene)
    const first = await commit(scene)
    await talked(scene)
    const second = await commit(scene, { baseId: first.id, uptoSeq: 4, tokens: 4, kind: 'mechanical' })
    assert.deepEqual([second.baseId, second.replacedTokens, second.kind], [first.id, 3 + 14, 'mechanical'])
    assert.deepEqual(
      (await scene.store.listSummaries(alice)).map(({ id }) => id),
      [second.id, first.id],
    )
  },
  'may be committed while a turn runs, and disturbs nothing of it': async (scene) => {
    await talked(scene)
    const claim = await scene.begin(alice, 'next')
    const pen = await scene.append(penOf(claim), 'before')
    await commit(scene)
    const after = await scene.append(pen, 'after')
    await scene.store.settleTurn(scene.settling(after, 'done'))
    const context = await scene.context(alice)
    assert.deepEqual([context.summary?.uptoSeq, wordsOf(context.entries)], [2, ['next', 'before', 'after', 'done']])
  },
  'is stale when another was committed meanwhile': async (scene) => {
    await talked(scene)
    await talked(scene)
    const first = await commit(scene)
    await refused('SUMMARY_STALE', commit(scene, { uptoSeq: 4, text: 'a rival' }))
    await refused('SUMMARY_STALE', commit(scene, { uptoSeq: 4, baseId: first.id + 1_000 }))
    assert.equal((await scene.store.listSummaries(alice)).length, 1)
  },
  'is stale when its base was undone meanwhile': async (scene) => {
    await talked(scene)
    const first = await commit(scene)
    await talked(scene)
    await undo(scene, first.id)
    await refused('SUMMARY_STALE', commit(scene, { baseId: first.id, uptoSeq: 4 }))
    assert.equal((await commit(scene, { uptoSeq: 4 })).baseId, null)
  },
  'is stale when the session was reset meanwhile': async (scene) => {
    await talked(scene)
    await scene.store.resetSession({ key: alice, reason: 'x', atMs: scene.nowMs })
    await refused('SUMMARY_STALE', commit(scene))
    assert.deepEqual(await scene.store.listSummaries(alice), [])
    assert.equal((await scene.context(alice)).summary, null)
  },
  'is not there twice when its commit is repeated': async (scene) => {
    await talked(scene)
    await commit(scene)
    await commit(scene).catch((error) => refused('SUMMARY_STALE', Promise.reject(error)))
    assert.equal((await scene.store.listSummaries(alice)).length, 1)
  },
  'is refused when it does not shorten, to the token': async (scene) => {
    await talked(scene)
    await refused('SUMMARY_REFUSED', commit(scene, { tokens: 14 }))
    await refused('SUMMARY_REFUSED', commit(scene, { tokens: 15 }))
    assert.equal((await commit(scene, { tokens: 13 })).tokens, 13)
  },
  'is refused when it is empty or blank': async (scene) => {
    await talked(scene)
    await refused('SUMMARY_REFUSED', commit(scene, { text: '', tokens: 0 }))
    await refused('SUMMARY_REFUSED', commit(scene, { text: ' \n\t', tokens: 1 }))
  },
  'is refused when it covers nothing new, or what is not there': async (scene) => {
    await talked(scene)
    await refused('SUMMARY_REFUSED', commit(scene, { uptoSeq: 0 }))
    await refused('SUMMARY_REFUSED', commit(scene, { uptoSeq: 3 }))
    const first = await commit(scene)
    await talked(scene)
    await refused('SUMMARY_REFUSED', commit(scene, { baseId: first.id, uptoSeq: 2, tokens: 1 }))
    await refused('SUMMARY_REFUSED', commit(scene, { baseId: first.id, uptoSeq: 1, tokens: 1 }))
  },
  'may be long, and in any script': async (scene) => {
    const text = '要約 🌊\0\u2028'.repeat(10_000)
    await talked(scene)
    await commit(scene, { text })
    assert.ok((await scene.context(alice)).summary?.text === text)
  },

  'is undone, newest first, and stays on the list': async (scene) => {
    await talked(scene)
    const first = await commit(scene)
    await talked(scene)
    const second = await commit(scene, { baseId: first.id, uptoSeq: 4 })
    await refused('SUMMARY_STALE', undo(scene, first.id))
    scene.nowMs += 7
    assert.deepEqual(await undo(scene, second.id), { ...second, undoneAtMs: scene.nowMs })
    assert.deepEqual(
      (await scene.store.listSummaries(alice)).map(({ id, undoneAtMs }) => [id, undoneAtMs]),
      [
        [second.id, scene.nowMs],
        [first.id, null],
      ],
    )
    await undo(scene, first.id)
    const third = await commit(scene, { uptoSeq: 3 })
    assert.equal(third.baseId, null)
  },
  'of another session, or of none, is not found': async (scene) => {
    await talked(scene)
    const summary = await commit(scene)
    await scene.say(bob, 'hello', 'hi')
    await refused('SUMMARY_NOT_FOUND', undo(scene, summary.id + 1_000))
    await refused('SUMMARY_NOT_FOUND', scene.store.undoSummary({ key: bob, summaryId: summary.id, atMs: scene.nowMs }))
    await refused('SESSION_NOT_FOUND', scene.store.listSummaries(nobody))
    assert.deepEqual(await scene.store.listSummaries(bob), [])
  },
  'outlives the process': async (scene) => {
    await talked(scene)
    const summary = await commit(scene)
    await scene.reopen()
    assert.deepEqual(await scene.store.listSummaries(alice), [summary])
  },
}
