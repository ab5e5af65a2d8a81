import { createHash } from 'node:crypto'
import type { Holdfast } from '../../src/engine/holdfast.ts'
import { recordsVersion } from '../../src/model/records.ts'
import type { Store } from '../../src/store/port.ts'
import { allSessions } from './bounds.ts'
import { bodyOf, exportOf } from './exports.ts'
import type { Known } from './known.ts'
import type { Shelf } from './shelf.ts'

/** How often each message and each reply stands somewhere, and each turn. */
class Tally {
  readonly asked = new Map<string, number>()
  readonly answered = new Map<string, number>()
  readonly turns = new Map<string, number>()

  count(text: string): void {
    for (const line of text.split('\n')) {
      if (line.startsWith('{"type":"turn"')) add(this.turns, /"id":"([^"]+)"/.exec(line)?.[1])
      if (!line.startsWith('{"type":"entry"')) continue
      add(this.answered, /"content":"re: ([\w-]+)\./.exec(line)?.[1])
      add(this.asked, /"content":"([\w-]+)\. /.exec(line)?.[1])
    }
  }
}

function add(counts: Map<string, number>, name: string | undefined): void {
  if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
}

async function countStore(tally: Tally, store: Store): Promise<void> {
  for (const { key, transcript } of await allSessions(store)) {
    for (let number = 1; number <= transcript; number += 1) {
      const text = await exportOf(store, { key, transcript: number })
      if (text !== null) tally.count(text)
    }
  }
}

/**
 * Acknowledged messages, replies and turns that are not where they must be, once, one line each: in the store, in an archive, or in a
 * folder of the trash that is gone. `untrueReasons` holds the last to the policy.
 */
export async function lostWords(store: Store, shelf: Shelf, known: Known, archives: boolean): Promise<string[]> {
  const tally = new Tally()
  await countStore(tally, store)
  if (archives) {
    for (const { name, state, items } of shelf.full) {
      for (const item of items) tally.count(await shelf.textOf(name, state, item))
    }
  }
  const deleted = Map.groupBy(
    shelf.deleted.flatMap(({ items }) => items),
    ({ key }) => key,
  )
  return known.accepted.flatMap(({ key, words, turnId, atMs }) => {
    const [name = ''] = words.split('.')
    const ended = known.ended.get(turnId)
    const found = [tally.asked.get(name), tally.turns.get(turnId)].map((count) => count ?? 0)
    const replies = tally.answered.get(name) ?? 0
    const mayBeGone = (deleted.get(key) ?? []).some(({ lastAtMs }) => lastAtMs >= atMs)
    const isThere = found.every((count) => count === 1) && (ended?.status !== 'done' || replies === 1)
    const isGone = mayBeGone && found.every((count) => count === 0) && replies === 0
    return isThere || isGone
      ? []
      : [`${words} of ${key} (${ended?.status}): asked and turn ${found}, replies ${replies}`]
  })
}

/** What a preview had found, and something else was put into a bundle. One line each. */
export async function untrueCopies(shelf: Shelf, known: Known): Promise<{ compared: number; problems: string[] }> {
  const problems: string[] = []
  let compared = 0
  for (const { name, state, items } of shelf.full) {
    for (const item of items) {
      const { key, transcript } = item
      const copy = known.copied.find((each) => {
        return each.key === key && each.transcript === transcript && Math.abs(each.atMs - state.takenAtMs) < 60_000
      })
      if (copy === undefined) continue
      compared += 1
      const sha256 = createHash('sha256')
        .update(bodyOf(await shelf.textOf(name, state, item)))
        .digest('hex')
      if (sha256 !== copy.sha256) problems.push(`${key} ${transcript} is another in ${name.folder}`)
    }
  }
  return { compared, problems }
}

/** Undoes every manifest, in any order. Each transcript is as it was, to the byte. */
export async function undoAll(
  engine: Holdfast,
  shelf: Shelf,
): Promise<{ transcripts: number; manifests: number; problems: string[] }> {
  const problems: string[] = []
  let transcripts = 0
  const full = shelf.full.toSorted((a, b) => hashOf(a.name.folder).localeCompare(hashOf(b.name.folder)))
  for (const { name, state, items } of full) {
    const before = new Map<string, string>()
    for (const item of items) before.set(`${item.key} ${item.transcript}`, await shelf.textOf(name, state, item))
    const { restored, conflicts } = await engine.retention.undo(name.folder)
    if (conflicts.length > 0 || restored.length !== items.length) {
      problems.push(`${name.folder}: ${restored.length} of ${items.length} came back, ${conflicts.length} conflicts`)
    }
    for (const { key, transcript } of restored) {
      transcripts += 1
      const text = await exportOf(engine.store, { key, transcript })
      const expected = before.get(`${key} ${transcript}`)
      if (text === null || expected === undefined || bodyOf(text) !== bodyOf(expected)) {
        problems.push(`${key} ${transcript} came back as another from ${name.folder}`)
      }
      const header: unknown = JSON.parse((text ?? '{}\n').split('\n', 1)[0] as string)
      if ((header as { version?: number }).version !== recordsVersion) problems.push(`${key}: no header`)
    }
  }
  return { transcripts, manifests: full.length, problems }
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
