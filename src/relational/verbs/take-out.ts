import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { TakenOut, TakeOutItem } from '../../store/retention.ts'
import { findSession } from '../reads/sessions.ts'
import { stampOf } from '../reads/stamp.ts'
import type { SessionRow } from '../rows/rows.ts'
import { archivedSql, leaveSql } from '../statements/archives.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { metaSql, unscrubbed } from '../statements/upkeep.ts'
import { all, first, run, type Steps, write } from '../steps.ts'
import { addArchived } from './archived.ts'
import { deleteWithheld, deletionOf } from './purge.ts'
import { keyHashOf } from './sessions.ts'
import type { Work } from './work.ts'

/** Deleted at once in the transaction that takes them out, unless time runs out before. What is beyond is only hidden. */
const takeOutRowsMax = 2_000

export function* takeOut(_work: Work, input: { items: TakeOutItem[]; atMs: number }): Steps<TakenOut[]> {
  const unsettled = new Set((yield* all<{ session: number }>(leaveSql.unsettled)).map(({ session }) => session))
  const taken: TakenOut[] = []
  for (const item of input.items) {
    const { key, transcript } = item
    taken.push({ key, transcript, ...(yield* takeOne(item, unsettled)) })
  }
  yield* deleteWithheld(deletionOf(takeOutRowsMax))
  return taken
}

type Outcome = Pick<TakenOut, 'id' | 'because'>

const stays = (because: TakenOut['because']): Outcome => ({ id: null, because })

function* takeOne(item: TakeOutItem, unsettled: ReadonlySet<number>): Steps<Outcome> {
  const { key, transcript: number, archived } = item
  const session = yield* first<SessionRow>(sessionSql.byKey, key)
  const transcript =
    session && (yield* first<{ id: number; head: number | null }>(leaveSql.transcript, session.id, number))
  if (session === undefined || transcript === undefined) {
    // an earlier try of this very call may have done it
    const known = yield* first<{ id: number }>(archivedSql.known, key, number, archived.sweep)
    return known === undefined ? stays('gone') : { id: known.id, because: null }
  }
  if (session.pinned === 1) return stays('pinned')
  if ((yield* isBusy(session)) || unsettled.has(session.id)) return stays('busy')
  const whole = number === session.transcript
  if (whole !== archived.whole || (yield* stampOf(session, number)) !== item.stamp) return stays('changed')
  if (whole && (yield* all(leaveSql.numbers, session.id)).length > 1) return stays('changed') // the earlier ones go first
  if (whole) yield* removeSession(session)
  else yield* run(leaveSql.countOff, session.id, transcript.head ?? 0)
  yield* withhold(session.id, transcript.id, number)
  return { id: yield* addArchived(archived), because: null }
}

function* isBusy({ id, running, queuedTurns }: SessionRow): Steps<boolean> {
  return running === 1 || queuedTurns > 0 || (yield* first(turnSql.hasInterrupted, id)) !== undefined
}

function* withhold(session: number, transcript: number, number: number): Steps<void> {
  yield* write(leaveSql.hideTranscript, transcript)
  yield* write(leaveSql.withhold, transcript, session, number, 1)
}

/** Only its fence and the number of its last transcript stay, under the hash of its key. */
function* removeSession({ id, key, fence, transcript }: SessionRow): Steps<void> {
  yield* write(leaveSql.bury, keyHashOf(key), fence, transcript)
  yield* write(leaveSql.removeSession, id)
}

export function* deleteSession(work: Work, input: { key: SessionKey; atMs: number }): Steps<void> {
  if (work.again && (yield* first(sessionSql.byKey, input.key)) === undefined) return
  const session = yield* findSession(input.key)
  if (yield* isBusy(session)) {
    throw new HoldfastError('SESSION_BUSY', { key: input.key, queuedTurns: session.queuedTurns })
  }
  yield* write(metaSql.set, unscrubbed, 'true')
  yield* write(leaveSql.dropUnsettled, session.id)
  for (const { id, number } of yield* all<{ id: number; number: number }>(leaveSql.transcriptsOf, session.id)) {
    yield* withhold(session.id, id, number)
  }
  yield* removeSession(session)
}
