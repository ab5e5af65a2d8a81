import { systemClock } from '../../host/clock.ts'
import type { Connection } from '../file/connection.ts'
import { purgeSql, type WithheldRow } from '../statements/archives.ts'
import { keepFloors } from '../statements/ids.ts'
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

export function purge(work: Work, input: { rowsMax: number }): boolean {
  work.db.run(purgeSql.abandon, JSON.stringify([...work.returning]))
  return deleteWithheld(work.db, deletionOf(input.rowsMax))
}

/** Deletes what is on its way out, as much as may be; true when more is left. */
export function deleteWithheld(db: Connection, deletion: Deletion): boolean {
  let first = true
  for (;;) {
    const withheld = db.first<WithheldRow>(purgeSql.next)
    const session = withheld === undefined ? db.first<{ id: number }>(purgeSql.nextSession) : undefined
    if (withheld === undefined && session === undefined) return false
    if (!first && isOver(deletion)) return true
    if (first) db.run(keepFloors)
    first = false
    if (withheld !== undefined) deleteTranscript(db, withheld, deletion)
    if (session !== undefined) deleteSessionRow(db, session.id, deletion)
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
export function deleteTranscript(db: Connection, withheld: WithheldRow, deletion: Deletion): boolean {
  const { transcript, session, number } = withheld
  for (let first = true; first || !isOver(deletion); first = false) {
    const entries = nextEntries(db, transcript, deletion)
    if (entries.length === 0) break
    const blobs = new Set(entries.flatMap(({ blob }) => (blob === null ? [] : [blob])))
    const positions = [...new Set(entries.flatMap(({ turn }) => (turn === null ? [] : [turn])))]
    const turns = db.all<DoomedTurn>(purgeSql.turnsOf, JSON.stringify(positions), session, number)
    for (const turn of turns) deletion.left -= deleteTurn(db, turn, blobs)
    deletion.left -= db.run(purgeSql.dropEntries, transcript, (entries.at(-1) as DoomedEntry).seq)
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
    if (withheld.counted === 1) db.run(purgeSql.countOffBytes, session, bytes)
    deletion.left -= dropBlobs(db, blobs)
  }
  if (db.first(purgeSql.hasEntry, transcript) !== undefined) return false
  const rowsMax = Math.max(1, deletion.left)
  const ranges = db.run(purgeSql.dropHidden, transcript, rowsMax)
  const summaries = db.run(purgeSql.dropSummaries, session, number, rowsMax)
  deletion.left -= ranges + summaries
  if (ranges >= rowsMax || summaries >= rowsMax) return false
  db.run(purgeSql.dropWithheld, transcript)
  db.run(purgeSql.dropTranscript, transcript)
  deletion.left -= 2
  return true
}

/** As many as fit, by rows and by the pages that their bodies take; at least one. */
function nextEntries(db: Connection, transcript: number, { left }: Deletion): DoomedEntry[] {
  const limit = Math.max(1, Math.min(entriesAtOnce, Math.floor(left / rowsPerEntry)))
  const rows = db.all<DoomedEntry>(purgeSql.entries, transcript, limit)
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
export function deleteTurn(db: Connection, turn: DoomedTurn, blobs: Set<number>): number {
  const { position, instructions, params } = turn
  for (const { blob } of db.all<{ blob: number }>(purgeSql.inboundBlobs, position)) blobs.add(blob)
  for (const blob of [instructions, params]) if (blob !== null) blobs.add(blob)
  const beside = db.run(purgeSql.dropInbound, position) + db.run(purgeSql.dropDeliveries, position)
  return beside + db.run(purgeSql.dropTurn, position)
}

/** Deletes those that nothing refers to any more. Gives the pages that they took. */
export function dropBlobs(db: Connection, blobs: ReadonlySet<number>): number {
  let pages = 0
  for (const blob of blobs) {
    const stored = db.first<{ stored: number }>(purgeSql.blobStored, blob)?.stored ?? 0
    if (db.run(purgeSql.dropBlob, blob) === 1) pages += 1 + Math.floor(stored / pageBytes)
  }
  return pages
}

/** What no transcript has brought, then the row. */
function deleteSessionRow(db: Connection, session: number, deletion: Deletion): void {
  const limit = Math.max(1, Math.min(entriesAtOnce, Math.floor(deletion.left / rowsPerEntry)))
  const turns = db.all<DoomedTurn>(purgeSql.turnsLeft, session, limit)
  const blobs = new Set<number>()
  for (const turn of turns) deletion.left -= deleteTurn(db, turn, blobs)
  deletion.left -= dropBlobs(db, blobs)
  if (turns.length > 0) return
  deletion.left -= db.run(purgeSql.dropSession, session)
}
