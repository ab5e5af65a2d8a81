import { HoldfastError, isHoldfastError } from '../model/errors.ts'
import type { HeaderRecord, TranscriptRecord } from '../model/records.ts'
import type { Session } from '../model/sessions.ts'
import { putTranscript } from '../store/carry/put.ts'
import { TranscriptReading } from '../store/carry/read.ts'
import type { Store } from '../store/port.ts'
import { compareStores } from './compare.ts'
import type { CopiedSession, CopyState } from './report.ts'

export interface CopyGround {
  from: Store
  /** Null: there is none yet, and none is to be made (a dry run). */
  to: Store | null
  nowMs: number
  dryRun: boolean
}

/** What names a transcript on its way in. */
export const copyOrigin = { sweep: 'copy', file: 'copy' }

const unsettled = ['queued', 'running', 'interrupted'] as const

/** Brings one session over, or finds that it is there. Can be broken off at any moment and begun again. */
export async function copySession(session: Session, ground: CopyGround): Promise<CopiedSession> {
  const counted = { transcripts: 0, entries: 0, turns: 0 }
  const told = (state: CopyState, because: string | null = null) => ({ key: session.key, state, because, ...counted })
  try {
    const busy = await whyBusy(session, ground.from)
    if (busy !== null) return told('left', busy)
    const headers = await headersOf(session, ground.from)
    counted.transcripts = headers.length
    counted.entries = headers.reduce((sum, { transcript }) => sum + transcript.entries, 0)
    const missing = await missingIn(ground, session, headers)
    if (typeof missing === 'string') return told('left', missing)
    if (missing.length === 0 && headers.length > 0) return told('present')
    if (ground.dryRun || ground.to === null) return told('copied')
    for (const header of missing.toReversed()) counted.turns += await put(header, ground, ground.to)
    const difference = await differenceOf(session, missing, ground.from, ground.to)
    return difference === null ? told('copied') : told('mismatch', difference)
  } catch (error) {
    if (!isHoldfastError(error, 'ARCHIVE_CONFLICT')) throw error
    const { because, table } = error.facts
    if (typeof because === 'string') return told('left', because)
    const what = typeof table === 'string' ? `a ${table} with the id of one of its own` : 'a transcript in its place'
    return told('left', `another session over there has ${what}`)
  }
}

/** What has not ended would be done in both places. */
async function whyBusy({ key }: Session, from: Store): Promise<string | null> {
  const { items } = await from.listTurns({ key, statuses: [...unsettled], order: 'oldest', limit: 1 })
  if (items.length > 0) return `turn ${items[0]?.id} has not ended`
  const unsent = await from.listUnsent({ key, limit: 1 })
  return unsent.length > 0 ? 'a reply of it has not been delivered' : null
}

/** First lines of its transcripts, oldest first. What was archived is not there. */
async function headersOf({ key, transcript }: Session, from: Store): Promise<HeaderRecord[]> {
  const headers: HeaderRecord[] = []
  for (let number = 1; number <= transcript; number += 1) {
    const header = await new TranscriptReading(from, key, number).header()
    if (header !== null) headers.push(header)
  }
  return headers
}

/** Transcripts that are not over there, or why none can be brought. */
async function missingIn(
  { from, to }: CopyGround,
  { key, transcript }: Session,
  headers: readonly HeaderRecord[],
): Promise<HeaderRecord[] | string> {
  const there = to === null ? null : await to.readSession(key)
  if (to === null || there === null) return [...headers]
  if (there.transcript < transcript) {
    return `it is there, and goes on in transcript ${there.transcript}: it was reset here since`
  }
  const missing: HeaderRecord[] = []
  for (const header of headers) {
    const { number } = header.transcript
    if ((await new TranscriptReading(to, key, number).header()) === null) missing.push(header)
    else {
      const difference = await compareStores(from, to, key, number)
      if (difference !== null) return `it is there, and its transcript ${number} ${difference}`
    }
  }
  return missing
}

/** Gives how many turns came with it. */
async function put(header: HeaderRecord, { from, nowMs }: CopyGround, to: Store): Promise<number> {
  let turns = 0
  async function* records(): AsyncGenerator<TranscriptRecord> {
    turns = 0
    const reading = new TranscriptReading(from, header.session.key as Session['key'], header.transcript.number)
    for (let record = await reading.next(); record !== undefined; record = await reading.next()) {
      if (record.type === 'turn') turns += 1
      yield record
    }
  }
  await putTranscript(to, { ...header, numbers: 'foreign' }, records, copyOrigin, nowMs)
  return turns
}

/** What was written right now, and the session's own facts. */
async function differenceOf(
  session: Session,
  headers: readonly HeaderRecord[],
  from: Store,
  to: Store,
): Promise<string | null> {
  const { key, pinned, fence, title } = session
  for (const { transcript } of headers) {
    const difference = await compareStores(from, to, key, transcript.number)
    if (difference !== null) return `transcript ${transcript.number} ${difference}`
  }
  if (pinned) await to.patchSession({ key, pinned, atMs: session.activeAtMs })
  const copy = await to.readSession(key)
  if (copy === null) throw new HoldfastError('SESSION_NOT_FOUND', { key })
  if (copy.fence < fence) return `its fence is ${copy.fence}, and was ${fence}`
  return copy.title === title ? null : 'it has another title'
}
