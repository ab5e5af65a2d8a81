import assert from 'node:assert/strict'
import type { SessionKey } from '../../../model/keys.ts'
import { headerLine, noRecords, recordLine, recordsVersion, type TranscriptRecord } from '../../../model/records.ts'
import { alice, bob, type PromiseGroup, refused, type Scene, wordsOf } from '../scene.ts'
import { exported, furnish, inParts, placed, purgeAll, putBackIn, reset, takeEarlier, takeSession } from './moves.ts'

/** Its records without what a store numbers by itself, and without what only the first line says. */
const unnumbered = (text: string) =>
  text
    .split('\n')
    .slice(1, -1)
    .map((line) => {
      const { n, position, id, turn, baseId, holder, more, ...same } = JSON.parse(line)
      return { ...same, id: typeof id === 'string' ? id : null, isOfTurn: turn != null }
    })

const turnIdsIn = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{"type":"turn"'))
    .map((line) => JSON.parse(line).id)

/** All that can be read of the session. */
async function everything(scene: Scene) {
  const { items } = await scene.store.listTurns({ order: 'oldest', limit: 99, key: alice })
  const session = await scene.session(alice)
  return {
    session,
    context: await scene.context(alice),
    summaries: await scene.store.listSummaries(alice),
    turns: await Promise.all(items.map(({ id }) => scene.store.readTurn(id))),
    texts: [
      (await exported(scene.store, alice, 1)).text,
      session.transcript > 1 ? (await exported(scene.store, alice, 2)).text : '',
    ],
  }
}

/** A transcript that no store has written: two summaries, and an entry that is not shown. */
function newcomer(key: SessionKey): string {
  const session = {
    key,
    state: 'open',
    title: 'from elsewhere',
    fence: 0,
    transcript: 1,
    contextTokens: 22,
    meterRatio: 1,
  }
  const times = { turnsTotal: 0, createdAtMs: 5, activeAtMs: 9, archivedAtMs: null }
  const begun = { number: 1, current: true, startedAtMs: 5, endedAtMs: null, resetReason: null, entries: 5 }
  const header = headerLine({
    ...{ holdfast: 'transcript', version: recordsVersion },
    session: { ...session, ...times },
    transcript: begun,
  })
  const bodies: [string, object][] = [
    ['event', { code: 'ELSEWHERE', text: 'it began elsewhere' }],
    ...['one', 'two', 'two again', 'three'].map((content): [string, object] => ['user', { role: 'user', content }]),
  ]
  const summary = {
    type: 'summary' as const,
    id: 0,
    kind: 'model',
    tokens: 2,
    replacedTokens: 10,
    atMs: 8,
    undoneAtMs: null,
  }
  const records: TranscriptRecord[] = [
    ...bodies.map(([kind, body], index) => ({
      ...{ type: 'entry' as const, n: 0, seq: index + 1, id: `elsewhere-${index}`, turn: null, attempt: 0, kind },
      ...{ tokens: kind === 'event' ? 0 : 10, atMs: 5 + index, body: JSON.stringify(body) },
    })),
    { ...summary, baseId: null, uptoSeq: 1, text: 'before all' },
    { ...summary, baseId: 0, uptoSeq: 2, text: 'after one' },
    { type: 'hidden', fromSeq: 4, toSeq: 4, count: 1, tokens: 10 },
    { type: 'end', ...noRecords, entry: 5, summary: 2, hidden: 1 },
  ]
  return header + records.map(recordLine).join('')
}

const ids = (taken: { id: number | null }[]) => taken.map(({ id }) => id as number)

export const returnPromises: PromiseGroup = {
  'comes back as it was, to the byte, newest first': async (scene) => {
    await furnish(scene)
    const before = await everything(scene)
    const { found, taken } = await takeSession(scene, alice)
    await purgeAll(scene.store)
    const [first, second] = ids(taken) as [number, number]
    await putBackIn(scene, second, found[1]?.text ?? '', 5)
    await putBackIn(scene, first, found[0]?.text ?? '', 3)
    assert.deepEqual(await everything(scene), before)
    assert.deepEqual((await scene.store.listArchived({ limit: 9 })).items, [])
    await scene.say(alice, 'and on', 'yes')
    assert.equal((await scene.admit(alice, 'hello', { dedupeKey: 'k' })).repeated, true)
  },
  'comes back before what was hidden is deleted, too': async (scene) => {
    await furnish(scene)
    for (let count = 0; count < 6; count += 1) {
      const claim = await scene.begin(alice, 'much')
      const entries = Array.from({ length: 400 }, (_, index) => scene.entry(`entry ${index}`))
      await scene.settle(claim, null, { entries })
    }
    const before = await everything(scene)
    const { found, taken } = await takeSession(scene, alice)
    const [first, second] = ids(taken) as [number, number]
    await putBackIn(scene, second, found[1]?.text ?? '', 7)
    await putBackIn(scene, first, found[0]?.text ?? '', 2)
    assert.deepEqual(await everything(scene), before)
    await purgeAll(scene.store)
    assert.deepEqual(await everything(scene), before)
  },
  'is not seen before its last part': async (scene) => {
    await furnish(scene)
    const { found, taken } = await takeSession(scene, alice)
    const [, second] = ids(taken) as [number, number]
    const pieces = inParts(found[1]?.text ?? '', 4)
    for (const [part, text] of pieces.slice(0, -1).entries()) {
      await scene.store.putBack({ id: second, part, text, last: false, atMs: scene.nowMs })
      assert.equal(await scene.store.readSession(alice), null)
      assert.deepEqual((await scene.store.listTurns({ order: 'oldest', limit: 9 })).items, [])
      assert.deepEqual((await scene.store.searchEntries({ text: 'again', limit: 9 })).items, [])
      assert.equal((await scene.store.statistics()).entries, 0)
    }
    assert.equal((await scene.store.listArchived({ limit: 9 })).items.length, 2)
  },
  'takes each part once, and may be begun again': async (scene) => {
    await furnish(scene)
    const before = await everything(scene)
    const { found, taken } = await takeSession(scene, alice)
    const [first, second] = ids(taken) as [number, number]
    const pieces = inParts(found[1]?.text ?? '', 3)
    const put = (part: number) =>
      scene.store.putBack({ id: second, part, text: pieces[part] ?? '', last: part === 2, atMs: scene.nowMs })
    await put(0)
    await put(1)
    await put(1)
    await refused('ARCHIVE_CONFLICT', scene.store.putBack({ id: first, part: 1, text: '\n', last: false, atMs: 1 }))
    await put(0)
    await put(1)
    await put(2)
    await putBackIn(scene, first, found[0]?.text ?? '')
    assert.deepEqual(await everything(scene), before)
    await refused('ARCHIVE_NOT_FOUND', put(2))
  },
  'comes back into the session that goes on without it': async (scene) => {
    await furnish(scene)
    const before = await everything(scene)
    const { found, taken } = await takeEarlier(scene, alice, 1)
    await putBackIn(scene, taken.id as number, found.text, 4)
    assert.deepEqual(await everything(scene), before)
  },
  'becomes an earlier transcript of the session that has begun anew': async (scene) => {
    await scene.say(alice, 'old', 'words')
    const { found, taken } = await takeSession(scene, alice)
    await scene.say(alice, 'new', 'ones')
    const before = await scene.session(alice)
    await putBackIn(scene, ids(taken)[0] as number, found[0]?.text ?? '', 2)
    assert.deepEqual(await scene.session(alice), before)
    assert.deepEqual(wordsOf(await scene.entries(alice, 1)), ['old', 'words'])
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['new', 'ones'])
    const again = await takeEarlier(scene, alice, 1, 'sweep-2')
    assert.equal(again.taken.because, null)
  },
  'brings its session back, which goes on in a new transcript when a later one is still away': async (scene) => {
    await scene.say(alice, 'old', 'words')
    await reset(scene)
    await scene.say(alice, 'later', 'ones')
    const { fence } = await scene.session(alice)
    const { found, taken } = await takeSession(scene, alice)
    const [first, second] = ids(taken) as [number, number]
    await putBackIn(scene, first, found[0]?.text ?? '')
    const { transcript, head, fence: fenceNow } = await scene.session(alice)
    assert.deepEqual([transcript, head, fenceNow], [3, 0, fence])
    await putBackIn(scene, second, found[1]?.text ?? '')
    assert.deepEqual(wordsOf(await scene.entries(alice, 1)), ['old', 'words'])
    assert.deepEqual(wordsOf(await scene.entries(alice, 2)), ['(event)', 'later', 'ones'])
    await scene.say(alice, 'and on', 'yes')
  },
  'takes in what never was here, and gives it its numbers': async (scene) => {
    await scene.say(bob, 'before', 'that')
    const text = newcomer(alice)
    await scene.store.enterArchived({ items: [placed({ key: alice, transcript: 1, text })] })
    const [archived] = (await scene.store.listArchived({ limit: 9 })).items
    await putBackIn(scene, archived?.id ?? 0, text, 4)
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['(event)', 'one', 'two', 'two again', 'three'])
    const context = await scene.context(alice)
    assert.deepEqual(wordsOf(context.entries), ['two', 'three'])
    assert.equal(context.summary?.text, 'after one')
    const summaries = await scene.store.listSummaries(alice)
    assert.deepEqual(
      summaries.map(({ uptoSeq, baseId }) => [uptoSeq, baseId]),
      [
        [2, summaries[1]?.id],
        [1, null],
      ],
    )
    assert.equal((await scene.session(alice)).contextTokens, 22)
    await scene.say(alice, 'and on', 'yes')
    await scene.say(bob, 'here', 'too')
    assert.deepEqual((await scene.store.listArchived({ limit: 9 })).items, [])
  },
  'takes in what has numbers of another store, and gives it its own': async (scene) => {
    await furnish(scene)
    const { found, taken } = await takeSession(scene, alice)
    await scene.store.dropArchived({ ids: ids(taken) })
    await purgeAll(scene.store)
    const { position } = await scene.say(bob, 'before', 'that')
    const number = found[1]?.transcript ?? 0
    for (const each of found.toReversed()) {
      const text = each.text.replace('{', '{"numbers":"foreign",')
      const entered = placed({ ...each, text }, { sweep: 'from afar', whole: each.transcript === number })
      await scene.store.enterArchived({ items: [entered] })
      const { items } = await scene.store.listArchived({ limit: 9, sweep: 'from afar' })
      await putBackIn(scene, items[0]?.id ?? 0, text, 4)
    }
    for (const each of found) {
      const again = await exported(scene.store, alice, each.transcript)
      assert.deepEqual(unnumbered(again.text), unnumbered(each.text))
    }
    const turnIds = found.flatMap(({ text }) => turnIdsIn(text))
    assert.equal(turnIds.length, 4)
    for (const id of turnIds) assert.ok((await scene.turn(id)).position > position)
    await scene.say(alice, 'and on', 'yes')
    await scene.say(bob, 'here', 'too')
  },
  'is refused when it is damaged, cut off or of another, and nothing has changed': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    await scene.say(bob, 'hello', 'hi')
    const { found, taken } = await takeSession(scene, alice)
    const text = found[0]?.text ?? ''
    const id = ids(taken)[0] as number
    const other = (await exported(scene.store, bob, 1)).text
    const lines = text.split('\n')
    const without = (at: number) => lines.filter((_, index) => index !== at).join('\n')
    const broken = [
      '',
      other,
      text.slice(0, -1),
      `${lines.slice(0, -2).join('\n')}\n`,
      without(0),
      without(3),
      text.replace('"type":"inbound"', '"type":"unknown"'),
      text.replace('"seq":2', '"seq":"two"'),
    ]
    for (const each of broken) {
      await refused('ARCHIVE_DAMAGED', scene.store.putBack({ id, part: 0, text: each, last: true, atMs: scene.nowMs }))
    }
    assert.equal(await scene.store.readSession(alice), null)
    await putBackIn(scene, id, text)
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hello', 'hi'])
  },
  'is refused when it is there already': async (scene) => {
    const turn = await scene.say(alice, 'hello', 'hi')
    const { found, taken } = await takeSession(scene, alice)
    const id = ids(taken)[0] as number
    const text = found[0]?.text ?? ''
    await refused(
      'ARCHIVE_NOT_FOUND',
      scene.store.putBack({ id: id + 99, part: 0, text, last: true, atMs: scene.nowMs }),
    )
    await putBackIn(scene, id, text)
    const entered = placed({ key: alice, transcript: 1, text }, { sweep: 'sweep-9' })
    await scene.store.enterArchived({ items: [entered] })
    const { items } = await scene.store.listArchived({ limit: 9 })
    const call = scene.store.putBack({ id: items[0]?.id ?? 0, part: 0, text, last: true, atMs: scene.nowMs })
    await refused('ARCHIVE_CONFLICT', call)
    assert.equal((await scene.turn(turn.id)).status, 'done')
  },
}
