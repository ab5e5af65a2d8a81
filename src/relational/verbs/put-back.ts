import type { ArchivedTranscript } from '../../model/archives.ts'
import { HoldfastError } from '../../model/errors.ts'
import { agentOf, kindOf, type SessionKey } from '../../model/keys.ts'
import {
  damaged,
  type HeaderRecord,
  linesOf,
  noRecords,
  parseHeader,
  parseRecord,
  type RecordCounts,
} from '../../model/records.ts'
import type { SessionRow } from '../rows/rows.ts'
import { archivedSql, leaveSql, purgeSql, returnSql, type WithheldRow } from '../statements/archives.ts'
import { sessionSql } from '../statements/sessions.ts'
import { all, first, insert, type Steps, write } from '../steps.ts'
import type { SummaryNumbers } from './numbers.ts'
import { deleteTranscript, deletionOf } from './purge.ts'
import { keyHashOf } from './sessions.ts'
import { Staging } from './staging.ts'
import type { Work } from './work.ts'

/** What an earlier try has left hidden, beyond the rows that came back, and may be deleted in the last step. */
const leftoverRowsMax = 500

interface PutBackInput {
  id: number
  part: number
  text: string
  last: boolean
  atMs: number
}

export function* putBack(work: Work, input: PutBackInput): Steps<void> {
  const archived = yield* first<ArchivedTranscript>(archivedSql.byId, input.id)
  if (archived === undefined) {
    if (work.again && input.last) return // it is there: the first try was committed
    throw new HoldfastError('ARCHIVE_NOT_FOUND', { id: input.id })
  }
  work.requireRoom()
  const lines = linesOf(input.text)
  if (input.part === 0) yield* begin(archived, lines.shift() ?? '')
  const stage = yield* first<WithheldRow>(returnSql.stage, input.id)
  if (stage === undefined || stage.part < input.part) throw startAgain('the part before this one is not there')
  work.returning.add(input.id)
  if (stage.part === input.part) yield* stagePart(stage, lines, input.last)
  if (input.last)
    yield* show(work, archived, (yield* first<WithheldRow>(returnSql.stage, input.id)) as WithheldRow, input.atMs)
}

/** The caller may begin with part 0 at once. */
function startAgain(because: string): HoldfastError {
  return new HoldfastError('ARCHIVE_CONFLICT', { because }, { retryAfterMs: 1 })
}

/** A hiding place: in the session that is there, or in one without a key. */
function* begin(archived: ArchivedTranscript, line: string): Steps<void> {
  yield* write(returnSql.dropStage, archived.id)
  const header = parseHeader(line)
  const { sessionKey: key, transcript: number } = archived
  if (header.session.key !== key || header.transcript.number !== number) throw damaged('it is of another transcript')
  const live = yield* first<SessionRow>(sessionSql.byKey, key)
  if (live !== undefined) yield* checkFree(live, number)
  const { startedAtMs, resetReason } = header.transcript
  const session = live?.id ?? (yield* addHiddenSession(archived, header))
  const transcript = yield* insert(returnSql.addTranscript, session, startedAtMs, resetReason)
  yield* write(returnSql.addStage, transcript, session, number, archived.id, line, JSON.stringify(noRecords))
}

/** @throws HoldfastError ARCHIVE_CONFLICT */
function* checkFree(live: SessionRow, number: number): Steps<void> {
  const taken = (yield* first(leaveSql.transcript, live.id, number)) !== undefined || number > live.transcript
  if (taken) throw new HoldfastError('ARCHIVE_CONFLICT', { key: live.key, transcript: number })
}

function* addHiddenSession(archived: ArchivedTranscript, { session }: HeaderRecord): Steps<number> {
  const key = archived.sessionKey
  const name = `returning ${archived.id}`
  const before = yield* first<{ id: number }>(sessionSql.byKey, name)
  if (before !== undefined) yield* write(leaveSql.removeSession, before.id) // of an earlier try
  return yield* insert(returnSql.addSession, name, agentOf(key), kindOf(key), session.fence, session.createdAtMs)
}

function* stagePart(stage: WithheldRow, lines: readonly string[], last: boolean): Steps<void> {
  const { summaries, ...before } = JSON.parse(stage.counts ?? '') as RecordCounts & { summaries?: SummaryNumbers }
  const staging = yield* Staging.begin(stage, summaries ?? {})
  const counts: RecordCounts = { ...before }
  let ended = false
  for (const line of lines) {
    const record = parseRecord(line)
    if (ended) throw damaged('a line follows its end')
    if (record.type === 'end') {
      const { type, ...said } = record
      const agrees = Object.entries(said).every(([name, count]) => counts[name as keyof RecordCounts] === count)
      if (!agrees || !last) throw damaged('it has not as many records as its end says')
      ended = true
    } else {
      yield* staging.add(record)
      counts[record.type] += 1
    }
  }
  if (last && !ended) throw damaged('it has no end')
  yield* staging.finish()
  const bytes = stage.bytes + staging.bytes
  yield* write(
    returnSql.staged,
    stage.transcript,
    stage.part + 1,
    JSON.stringify({ ...counts, summaries: staging.summaries }),
    bytes,
  )
}

function* show(work: Work, archived: ArchivedTranscript, stage: WithheldRow, atMs: number): Steps<void> {
  const header = JSON.parse(stage.header ?? '') as HeaderRecord
  const { entry } = JSON.parse(stage.counts ?? '') as RecordCounts
  if (entry !== header.transcript.entries) throw damaged('it has not as many entries as its first line says')
  for (const other of yield* all<WithheldRow>(returnSql.others, stage.session, stage.number, stage.transcript)) {
    const gone = yield* deleteTranscript(other, deletionOf(leftoverRowsMax))
    if (!gone) throw startAgain('an earlier copy of it is not purged yet')
  }
  const hidden = (yield* first<SessionRow>(sessionSql.byId, stage.session)) as SessionRow
  const live = yield* first<SessionRow>(sessionSql.byKey, archived.sessionKey)
  if ((live?.id ?? null) !== (hidden.state === ('removed' as string) ? null : hidden.id)) {
    throw startAgain('its session began or ended meanwhile')
  }
  if (live === undefined) yield* showSession(archived.sessionKey, stage, header, atMs)
  else yield* showEarlier(live, stage, entry)
  yield* write(purgeSql.dropWithheld, stage.transcript)
  yield* write(archivedSql.drop, archived.id)
  work.returning.delete(archived.id)
}

function* showEarlier(live: SessionRow, stage: WithheldRow, entries: number): Steps<void> {
  yield* checkFree(live, stage.number)
  const next = yield* first<{ atMs: number }>(returnSql.nextStart, live.id, stage.number)
  yield* write(returnSql.showTranscript, stage.transcript, stage.number, entries, next?.atMs ?? live.createdAtMs)
  yield* write(returnSql.countIn, live.id, entries, stage.bytes)
}

/** The session is made again with all that it had. It goes on in this transcript, unless a later number was given. */
function* showSession(key: SessionKey, stage: WithheldRow, header: HeaderRecord, atMs: number): Steps<void> {
  const { session, transcript } = header
  const buried = yield* first<{ fence: number; transcript: number }>(leaveSql.tombstone, keyHashOf(key))
  const lastNumber = Math.max(buried?.transcript ?? 0, session.transcript)
  const goesOn = transcript.current && lastNumber === stage.number
  const end = yield* first<EndOfTranscript>(returnSql.last, stage.transcript)
  let current = { number: stage.number, id: stage.transcript, ...headOf(goesOn ? end : undefined) }
  if (!goesOn) {
    const number = lastNumber + 1
    const id = yield* insert(sessionSql.addTranscript, null, stage.session, number, atMs, null)
    current = { ...current, number, id }
  }
  const head = goesOn ? null : transcript.entries
  const endedMs = goesOn ? null : (transcript.endedAtMs ?? atMs)
  yield* write(returnSql.showTranscript, stage.transcript, stage.number, head, endedMs)
  yield* write(
    returnSql.showSession,
    ...[stage.session, key, session.state, session.title, current.number, current.id, current.seq, current.headId],
    ...[current.shownCount, current.shownTokens, Math.max(session.fence, buried?.fence ?? 0)],
    ...[goesOn ? session.contextTokens : 0, session.meterRatio, transcript.entries, stage.bytes, session.turnsTotal],
    ...[session.createdAtMs, session.activeAtMs, session.archivedAtMs],
  )
}

interface EndOfTranscript {
  seq: number
  id: string
  shownCount: number
  shownTokens: number
}

const headOf = (end: EndOfTranscript | undefined) => ({
  ...{ seq: end?.seq ?? 0, headId: end?.id ?? null },
  ...{ shownCount: end?.shownCount ?? 0, shownTokens: end?.shownTokens ?? 0 },
})
