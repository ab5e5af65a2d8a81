import { systemClock } from '../../host/clock.ts'
import { purgeSql, type WithheldRow } from '../statements/archives.ts'
import { keepFloors } from '../statements/ids.ts'
import { all, first, run, type Steps, write } from '../steps.ts'
import type { Work } from './work.ts'

/** What one transaction may still delete: rows, and pages of large bodies, which cost as much. */
export interface Deletion {
  left: number
  /** By the steady clock: rows that lie far apart cost ten times as much as neighbours. */
  untilMs: number
}

/** The writer is not held longer by deletions; the commit comes on top. */
const deletionMaxMs = 15

export const deletionOf = (rows: number): Deletion => ({ left: rows, untilMs: systemClock.steadyMs() + deletionMaxMs })

const isOver = ({ left, untilMs }: Deletion): boolean => left <= 0 || systemClock.steadyMs() > untilMs

/** Entries between two looks at the clock. */
const entriesAtOnce = 100

const pageBytes = 8_192

/** An entry may bring its turn, the turn's message and its delivery. */
const rowsPerEntry = 4

export function* purge(work: Work, input: { rowsMax: number }): Steps<boolean> {
  yield* write(purgeSql.abandon, JSON.stringify([...work.returning]))
  return yield* deleteWithheld(deletionOf(input.rowsMax))
}

/** Deletes what is on its way out, as much as may be; true when more is left. */
export function* deleteWithheld(deletion: Deletion): Steps<boolean> {
  let begun = false
  for (;;) {
    const withheld = yield* first<WithheldRow>(purgeSql.next)
    const session = withheld === undefined ? yield* first<{ id: number }>(purgeSql.nextSession) : undefined
    if (withheld === undefined && session === undefined) return false
    if (begun && isOver(deletion)) return true
    if (!begun) yield* write(keepFloors)
    begun = true
    if (withheld !== undefined) yield* deleteTranscript(withheld, deletion)
    if (session !== undefined) yield* deleteSessionRow(session.id, deletion)
  }
}

interface DoomedEntry {
  seq: number
  turn: number | null
  blob: number | null
  bytes: number
  stored: number | null
}

/** True when nothing of it is left. Deletes something in any case, so that whoever calls again comes to an end. */
export function* deleteTranscript(withheld: WithheldRow, deletion: Deletion): Steps<boolean> {
  const { transcript, session, number } = withheld
  for (let begun = false; !begun || !isOver(deletion); begun = true) {
    const entries = yield* nextEntries(transcript, deletion)
    if (entries.length === 0) break
    const blobs = new Set(entries.flatMap(({ blob }) => (blob === null ? [] : [blob])))
    const positions = [...new Set(entries.flatMap(({ turn }) => (turn === null ? [] : [turn])))]
    const turns = yield* all<DoomedTurn>(purgeSql.turnsOf, JSON.stringify(positions), session, number)
    for (const turn of turns) deletion.left -= yield* deleteTurn(turn, blobs)
    deletion.left -= yield* run(purgeSql.dropEntries, transcript, (entries.at(-1) as DoomedEntry).seq)
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
    if (withheld.counted === 1) yield* write(purgeSql.countOffBytes, session, bytes)
    deletion.left -= yield* dropBlobs(blobs)
  }
  if ((yield* first(purgeSql.hasEntry, transcript)) !== undefined) return false
  const rowsMax = Math.max(1, deletion.left)
  const ranges = yield* run(purgeSql.dropHidden, transcript, rowsMax)
  const summaries = yield* run(purgeSql.dropSummaries, session, number, rowsMax)
  deletion.left -= ranges + summaries
  if (ranges >= rowsMax || summaries >= rowsMax) return false
  yield* write(purgeSql.dropWithheld, transcript)
  yield* write(purgeSql.dropTranscript, transcript)
  deletion.left -= 2
  return true
}

/** As many as fit, by rows and by the pages that their bodies take; at least one. */
function* nextEntries(transcript: number, { left }: Deletion): Steps<DoomedEntry[]> {
  const limit = Math.max(1, Math.min(entriesAtOnce, Math.floor(left / rowsPerEntry)))
  const rows = yield* all<DoomedEntry>(purgeSql.entries, transcript, limit)
  let weight = 0
  const fits = rows.findIndex(({ bytes, stored }, index) => {
    weight += Math.floor((stored ?? bytes) / pageBytes)
    return index > 0 && weight > left
  })
  return fits === -1 ? rows : rows.slice(0, fits)
}

export interface DoomedTurn {
  position: number
  instructions: number | null
  params: number | null
}

/** Gives how many rows went; bodies that it referred to are added to `blobs`. */
export function* deleteTurn(turn: DoomedTurn, blobs: Set<number>): Steps<number> {
  const { position, instructions, params } = turn
  for (const { blob } of yield* all<{ blob: number }>(purgeSql.inboundBlobs, position)) blobs.add(blob)
  for (const blob of [instructions, params]) if (blob !== null) blobs.add(blob)
  const beside = (yield* run(purgeSql.dropInbound, position)) + (yield* run(purgeSql.dropDeliveries, position))
  return beside + (yield* run(purgeSql.dropTurn, position))
}

/** Deletes those that nothing refers to any more. Gives the pages that they took. */
export function* dropBlobs(blobs: ReadonlySet<number>): Steps<number> {
  let pages = 0
  for (const blob of blobs) {
    const stored = (yield* first<{ stored: number }>(purgeSql.blobStored, blob))?.stored ?? 0
    if ((yield* run(purgeSql.dropBlob, blob)) === 1) pages += 1 + Math.floor(stored / pageBytes)
  }
  return pages
}

/** What no transcript has brought, then the row. */
function* deleteSessionRow(session: number, deletion: Deletion): Steps<void> {
  const limit = Math.max(1, Math.min(entriesAtOnce, Math.floor(deletion.left / rowsPerEntry)))
  const turns = yield* all<DoomedTurn>(purgeSql.turnsLeft, session, limit)
  const blobs = new Set<number>()
  for (const turn of turns) deletion.left -= yield* deleteTurn(turn, blobs)
  deletion.left -= yield* dropBlobs(blobs)
  if (turns.length > 0) return
  deletion.left -= yield* run(purgeSql.dropSession, session)
}
