import assert from 'node:assert/strict'
import type { NewArchivedTranscript } from '../../../model/archives.ts'
import { HoldfastError, recordOf } from '../../../model/errors.ts'
import { kindOf, type SessionKey } from '../../../model/keys.ts'
import type { Store } from '../../../store/port.ts'
import type { ExportPart, TakenOut, TakeOutItem } from '../../../store/retention.ts'
import { alice, type Scene } from '../scene.ts'

/** A whole transcript as its parts say it together. */
export interface Exported {
  key: SessionKey
  transcript: number
  stamp: string
  text: string
  parts: ExportPart[]
}

export async function exported(
  store: Store,
  key: SessionKey,
  transcript: number,
  bytesMax = 1_000_000,
): Promise<Exported> {
  const parts: ExportPart[] = []
  for (let after: string | null | undefined; after !== null; ) {
    const item = { key, transcript, ...(after === undefined ? {} : { after }) }
    const [part] = await store.exportTranscripts({ items: [item], bytesMax })
    assert.ok(part !== undefined, `there should be a transcript ${transcript} of ${key}`)
    parts.push(part)
    after = part.next
  }
  const text = parts.map((part) => part.text).join('')
  return { key, transcript, stamp: parts[0]?.stamp ?? '', text, parts }
}

export const placed = (
  { key, transcript, text }: Pick<Exported, 'key' | 'transcript' | 'text'>,
  more: Partial<NewArchivedTranscript> = {},
): NewArchivedTranscript => ({
  ...{ sessionKey: key, kind: kindOf(key), transcript, whole: true, place: 'archives', sweep: 'sweep-1' },
  ...{ file: '1.jsonl.zst', offset: 0, length: 100, bytes: text.length, sha256: '0'.repeat(64), entries: 1 },
  ...{ firstAtMs: 1, lastAtMs: 2, takenAtMs: 3, expiresAtMs: null },
  ...more,
})

export function itemOf(found: Exported, more: Partial<NewArchivedTranscript> = {}): TakeOutItem {
  const { key, transcript, stamp } = found
  return { key, transcript, stamp, archived: placed(found, more) }
}

/** All transcripts of a session, as a sweep takes them. */
export async function takeSession(scene: Scene, key: SessionKey, sweep = 'sweep-1') {
  const { transcript: current } = await scene.session(key)
  const found: Exported[] = []
  for (let number = 1; number <= current; number += 1) {
    const there = await scene.store.exportTranscripts({ items: [{ key, transcript: number }], bytesMax: 1 })
    if (there.length > 0) found.push(await exported(scene.store, key, number))
  }
  const items = found.map((each) => itemOf(each, { whole: each.transcript === current, sweep }))
  const taken = await scene.store.takeOut({ items, atMs: scene.nowMs })
  return { found, taken }
}

export async function takeEarlier(scene: Scene, key: SessionKey, transcript: number, sweep = 'sweep-1') {
  const found = await exported(scene.store, key, transcript)
  const [taken] = await scene.store.takeOut({ items: [itemOf(found, { whole: false, sweep })], atMs: scene.nowMs })
  return { found, taken: taken as TakenOut }
}

/** In so many parts, each of whole lines. */
export async function putBackIn(scene: Scene, id: number, text: string, parts = 1): Promise<void> {
  const pieces = inParts(text, parts)
  for (const [part, piece] of pieces.entries()) {
    await scene.store.putBack({ id, part, text: piece, last: part === pieces.length - 1, atMs: scene.nowMs })
  }
}

export function inParts(text: string, parts: number): string[] {
  const lines = text.split('\n').slice(0, -1)
  const each = Math.max(1, Math.ceil(lines.length / parts))
  const pieces: string[] = []
  for (let at = 0; at < lines.length; at += each) pieces.push(`${lines.slice(at, at + each).join('\n')}\n`)
  return pieces
}

export async function purgeAll(store: Store, rowsMax = 1_000): Promise<void> {
  while (await store.purge({ rowsMax }));
}

export const reset = (scene: Scene) => scene.store.resetSession({ key: alice, reason: 'new', atMs: scene.nowMs })

/** Two transcripts with all that a session can have. */
export async function furnish(scene: Scene): Promise<void> {
  const { store, nowMs: atMs } = scene
  const request = {
    instructions: [{ role: 'system' as const, content: 'Be kind. '.repeat(300) }],
    params: { temperature: 0.5 },
    streaming: true,
    deliverTo: ['telegram:42'],
  }
  await scene.settle(await scene.begin(alice, 'hello', { request, dedupeKey: 'k' }), 'hi', { meterRatio: 1.5 })
  const delivery = await store.claimDelivery({ atMs })
  await store.settleDelivery({ id: delivery?.id as number, status: 'failed', error: 'offline', nextAttemptAtMs: 5 })
  const refusal = { status: 'failed' as const, outcome: recordOf(new HoldfastError('MODEL_REJECTED')) }
  await scene.settle(await scene.begin(alice, 'refused'), null, refusal)
  await reset(scene)
  await scene.say(alice, 'again '.repeat(10), 'ü'.repeat(30_000))
  const summary = {
    key: alice,
    transcript: 2,
    baseId: null,
    uptoSeq: 2,
    kind: 'model' as const,
    text: 'they met',
    tokens: 3,
  }
  await store.commitSummary({ ...summary, atMs })
  const { turn } = await scene.admit(alice, 'unheard')
  await store.cancelTurn({ turnId: turn.id, reason: 'enough', atMs })
  await store.patchSession({ key: alice, title: 'a title', atMs })
}
