import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { TakenOut, TakeOutItem } from '../../store/retention.ts'
import type { SessionRow } from '../file/rows.ts'
import { stampOf } from '../reads/stamp.ts'
import { archivedSql, leaveSql } from '../statements/archives.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { metaSql, unscrubbed } from '../statements/upkeep.ts'
import { addArchived } from './archived.ts'
import { deleteWithheld, deletionOf } from './purge.ts'
import { findSession, keyHashOf } from './sessions.ts'
import type { Work } from './work.ts'

/** Deleted at once in the transaction that takes them out, unless time runs out before. What is beyond is only hidden. */
const takeOutRowsMax = 2_000

export function takeOut(work: Work, input: { items: TakeOutItem[]; atMs: number }): TakenOut[] {
  const unsettled = new Set(work.db.all<{ session: number }>(leaveSql.unsettled).map(({ session }) => session))
  const taken = input.items.map((item): TakenOut => {
    const { key, transcript } = item
    return { key, transcript, ...takeOne(work, item, unsettled) }
  })
  deleteWithheld(work.db, deletionOf(takeOutRowsMax))
  return taken
}

type Outcome = Pick<TakenOut, 'id' | 'because'>

const stays = (because: TakenOut['because']): Outcome => ({ id: null, because })

function takeOne(work: Work, item: TakeOutItem, unsettled: ReadonlySet<number>): Outcome {
  const { db } = work
  const { key, transcript: number, archived } = item
  const session = db.first<SessionRow>(sessionSql.byKey, key)
  const transcript = session && db.first<{ id: number; head: number | null }>(leaveSql.transcript, session.id, number)
  if (session === undefined || transcript === undefined) {
    // an earlier try of this very call may have done it
    const known = db.first<{ id: number }>(archivedSql.known, key, number, archived.sweep)
    return known === undefined ? stays('gone') : { id: known.id, because: null }
  }
  if (session.pinned === 1) return stays('pinned')
  if (isBusy(work, session) || unsettled.has(session.id)) return stays('busy')
  const whole = number === session.transcript
  if (whole !== archived.whole || stampOf(db, session, number) !== item.stamp) return stays('changed')
  if (whole && db.all(leaveSql.numbers, session.id).length > 1) return stays('changed') // the earlier ones go first
  if (whole) removeSession(work, session)
  else db.run(leaveSql.countOff, session.id, transcript.head ?? 0)
  withhold(work, session.id, transcript.id, number)
  return { id: addArchived(db, archived), because: null }
}

function isBusy({ db }: Work, { id, running, queuedTurns }: SessionRow): boolean {
  return running === 1 || queuedTurns > 0 || db.first(turnSql.hasInterrupted, id) !== undefined
}

function withhold({ db }: Work, session: number, transcript: number, number: number): void {
  db.run(leaveSql.hideTranscript, transcript)
  db.run(leaveSql.withhold, transcript, session, number, 1)
}

/** Only its fence and the number of its last transcript stay, under the hash of its key. */
function removeSession({ db }: Work, { id, key, fence, transcript }: SessionRow): void {
  db.run(leaveSql.bury, keyHashOf(key), fence, transcript)
  db.run(leaveSql.removeSession, id)
}

export function deleteSession(work: Work, input: { key: SessionKey; atMs: number }): void {
  const { db } = work
  if (work.again && db.first(sessionSql.byKey, input.key) === undefined) return
  const session = findSession(work, input.key)
  if (isBusy(work, session)) {
    throw new HoldfastError('SESSION_BUSY', { key: input.key, queuedTurns: session.queuedTurns })
  }
  db.run(metaSql.set, unscrubbed, 'true')
  db.run(leaveSql.dropUnsettled, session.id)
  for (const { id, number } of db.all<{ id: number; number: number }>(leaveSql.transcriptsOf, session.id)) {
    withhold(work, session.id, id, number)
  }
  removeSession(work, session)
}
