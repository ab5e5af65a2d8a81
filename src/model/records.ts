import { HoldfastError } from './errors.ts'

/**
 * The records of a transcript, one JSON object on each line: what an archive holds (`zstd -d` shows it), and what brings it
 * back. This room owns the format because every adapter of the store and the archive's files read it.
 *
 * 1. `{"holdfast":"transcript","version":1,"session":{…},"transcript":{…}}`: the session as it was, and the transcript's own
 *    number, times and length. `current`: it was the one that the session went on in.
 * 2. In the order of the transcript `{"type":"entry",…}`, and before the first entry of a turn `{"type":"turn",…}`, each of
 *    its accepted messages `{"type":"inbound",…}`, and where its reply was sent `{"type":"delivery",…}`. An entry names its
 *    turn by `turn`, the turn's `position`. A turn that was begun in one transcript and ended in a later one is with the later.
 * 3. `{"type":"summary",…}`: notes that stand for entries up to a `seq`; `{"type":"hidden",…}`: ranges not shown to the model.
 * 4. With a current transcript: turns of the session that have no entry.
 * 5. `{"type":"end",…}`: how many of each came before. A text without it is not whole.
 *
 * `n` of an entry and `id` of a summary are 0 in a transcript that never was in a store, and a `baseId` of 0 stands for the summary before it. With
 * `"numbers":"foreign"` in line 1 all numbers are another store's, and only say which rows belong together. New ones are given on the way in.
 *
 * Times are milliseconds since the epoch. What is JSON in the store (`body`, `messages`, …) is embedded as it is; a text that
 * would not come back as the same bytes stands as a string in `bodyText`, `messagesText`, …. `more` holds what an
 * adapter keeps beside. Readers: take each line by itself; refuse a version or type that you do not know.
 */
export const recordsVersion = 1

/** What an adapter keeps that has no name here, by its column. */
export type More = Record<string, string | number>

export interface HeaderRecord {
  holdfast: 'transcript'
  version: typeof recordsVersion
  numbers?: 'foreign'
  session: {
    key: string
    state: string
    title: string | null
    fence: number
    /** Number of its current transcript. */
    transcript: number
    contextTokens: number
    meterRatio: number
    turnsTotal: number
    createdAtMs: number
    activeAtMs: number
    archivedAtMs: number | null
  }
  transcript: {
    number: number
    current: boolean
    startedAtMs: number
    /** Null while it is current. */
    endedAtMs: number | null
    resetReason: string | null
    entries: number
  }
}

/** Fields that hold JSON are text here, and embedded in the line. */
export interface EntryRecord {
  type: 'entry'
  n: number
  seq: number
  id: string
  turn: number | null
  attempt: number
  kind: string
  tokens: number
  atMs: number
  body: string
  more?: More
}

export interface TurnRecord {
  type: 'turn'
  position: number
  id: string
  lane: string
  source: string
  status: string
  attempts: number
  fence: number | null
  holder: string | null
  settledFence: number | null
  blockedBy: string | null
  admittedAtMs: number
  queuedAtMs: number
  readyAtMs: number | null
  startedAtMs: number | null
  progressAtMs: number | null
  interruptedAtMs: number | null
  settledAtMs: number | null
  cancelRequested: string | null
  finishReason: string | null
  transcript: number | null
  askedFrom: number | null
  askedTo: number | null
  attemptFrom: number | null
  attemptTo: number | null
  replyFrom: number | null
  replyTo: number | null
  streaming: number
  outcome: string | null
  usage: string | null
  deliverTo: string | null
  instructions: string | null
  params: string | null
  more?: More
}

export interface InboundRecord {
  type: 'inbound'
  id: number
  turn: number
  admission: string
  dedupe: string | null
  digest: string
  interrupted: string | null
  atMs: number
  tokens: string
  messages: string
  more?: More
}

export interface DeliveryRecord {
  type: 'delivery'
  id: number
  turn: number
  target: string
  status: string
  attempts: number
  nextAtMs: number
  error: string | null
  more?: More
}

export interface SummaryRecord {
  type: 'summary'
  id: number
  baseId: number | null
  uptoSeq: number
  kind: string
  text: string
  tokens: number
  replacedTokens: number
  atMs: number
  undoneAtMs: number | null
  more?: More
}

interface HiddenRecord {
  type: 'hidden'
  fromSeq: number
  toSeq: number
  count: number
  tokens: number
}

interface EndRecord extends RecordCounts {
  type: 'end'
}

export type RecordCounts = Record<BodyRecord['type'], number>

export type BodyRecord = EntryRecord | TurnRecord | InboundRecord | DeliveryRecord | SummaryRecord | HiddenRecord
export type TranscriptRecord = BodyRecord | EndRecord

export const noRecords: RecordCounts = { entry: 0, turn: 0, inbound: 0, delivery: 0, summary: 0, hidden: 0 }

type Form = 'number' | 'text' | 'number?' | 'text?' | 'json' | 'json?'
type FormsOf<R> = { [Field in Exclude<keyof R, 'type' | 'more'>]: Form }
type RecordOf<T> = Extract<TranscriptRecord, { type: T }>

const counted = { entry: 'number', turn: 'number', inbound: 'number', delivery: 'number' } as const

/** What each record has, in the order in which it is written. */
const forms: { [T in TranscriptRecord['type']]: FormsOf<RecordOf<T>> } = {
  entry: {
    ...{ n: 'number', seq: 'number', id: 'text', turn: 'number?', attempt: 'number', kind: 'text', tokens: 'number' },
    ...{ atMs: 'number', body: 'json' },
  },
  turn: {
    ...{ position: 'number', id: 'text', lane: 'text', source: 'text', status: 'text', attempts: 'number' },
    ...{ fence: 'number?', holder: 'text?', settledFence: 'number?', blockedBy: 'text?', admittedAtMs: 'number' },
    ...{ queuedAtMs: 'number', readyAtMs: 'number?', startedAtMs: 'number?', progressAtMs: 'number?' },
    ...{ interruptedAtMs: 'number?', settledAtMs: 'number?', cancelRequested: 'text?', finishReason: 'text?' },
    ...{ transcript: 'number?', askedFrom: 'number?', askedTo: 'number?', attemptFrom: 'number?' },
    ...{ attemptTo: 'number?', replyFrom: 'number?', replyTo: 'number?', streaming: 'number', outcome: 'json?' },
    ...{ usage: 'json?', deliverTo: 'json?', instructions: 'json?', params: 'json?' },
  },
  inbound: {
    ...{ id: 'number', turn: 'number', admission: 'text', dedupe: 'text?', digest: 'text', interrupted: 'text?' },
    ...{ atMs: 'number', tokens: 'json', messages: 'json' },
  },
  delivery: {
    ...{ id: 'number', turn: 'number', target: 'text', status: 'text', attempts: 'number', nextAtMs: 'number' },
    error: 'text?',
  },
  summary: {
    ...{ id: 'number', baseId: 'number?', uptoSeq: 'number', kind: 'text', text: 'text', tokens: 'number' },
    ...{ replacedTokens: 'number', atMs: 'number', undoneAtMs: 'number?' },
  },
  hidden: { fromSeq: 'number', toSeq: 'number', count: 'number', tokens: 'number' },
  end: { ...counted, summary: 'number', hidden: 'number' },
}

const formsOf = (type: TranscriptRecord['type']) => Object.entries(forms[type]) as [string, Form][]

export const headerLine = (header: HeaderRecord): string => `${JSON.stringify(header)}\n`

/** One line, with its line feed. */
export function recordLine(record: TranscriptRecord): string {
  const values = record as unknown as Record<string, string | number | null>
  const parts = formsOf(record.type).map(([field, form]) => {
    const value = values[field] as string | number | null
    if (value === null || !form.startsWith('json')) return `"${field}":${JSON.stringify(value)}`
    const json = String(value)
    return comesBack(json) ? `"${field}":${json}` : `"${field}Text":${JSON.stringify(json)}`
  })
  const more = 'more' in record && record.more !== undefined ? [`"more":${JSON.stringify(record.more)}`] : []
  return `{"type":"${record.type}",${[...parts, ...more].join(',')}}\n`
}

/** Holds for all that was written by `JSON.stringify`; `null` itself stands for a text that is not there. */
function comesBack(json: string): boolean {
  try {
    return json !== 'null' && JSON.stringify(JSON.parse(json)) === json
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** @throws HoldfastError ARCHIVE_DAMAGED */
export function parseHeader(line: string): HeaderRecord {
  const found = parseObject(line) as Partial<HeaderRecord>
  const { session, transcript } = found
  const known = found.holdfast === 'transcript' && found.version === recordsVersion
  const whole =
    typeof session?.key === 'string' &&
    [session.fence, session.transcript, session.turnsTotal, session.createdAtMs, session.activeAtMs].every(isWhole) &&
    typeof session.meterRatio === 'number' &&
    isWhole(session.contextTokens) &&
    typeof session.state === 'string' &&
    [transcript?.number, transcript?.startedAtMs, transcript?.entries].every(isWhole) &&
    typeof transcript?.current === 'boolean'
  if (!known || !whole) throw damaged('its first line does not say what it is')
  return found as HeaderRecord
}

/** @throws HoldfastError ARCHIVE_DAMAGED */
export function parseRecord(line: string): TranscriptRecord {
  const found = parseObject(line)
  const type = found.type as TranscriptRecord['type']
  if (typeof type !== 'string' || !Object.hasOwn(forms, type)) throw damaged('a line is no record')
  const record: Record<string, unknown> = { type }
  for (const [field, form] of formsOf(type)) record[field] = valueIn(found, field, form)
  if (found.more !== undefined) record.more = moreOf(found.more)
  return record as unknown as TranscriptRecord
}

function valueIn(found: Record<string, unknown>, field: string, form: Form): string | number | null {
  const value = found[field]
  if (value === null && form.endsWith('?')) return null
  if (form.startsWith('number') && isWhole(value)) return value
  if (form.startsWith('text') && typeof value === 'string') return value
  const text = found[`${field}Text`]
  if (form.startsWith('json') && typeof text === 'string') return text
  if (form.startsWith('json') && value !== undefined && value !== null) return JSON.stringify(value)
  throw damaged(`a record has no ${field}`)
}

function moreOf(found: unknown): More {
  const fits = (value: unknown) => typeof value === 'string' || typeof value === 'number'
  if (typeof found !== 'object' || found === null || !Object.values(found).every(fits)) {
    throw damaged('a record has more that is not plain')
  }
  return found as More
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)

function parseObject(line: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw damaged('a line is not JSON')
}

/** The whole lines of a part. @throws HoldfastError ARCHIVE_DAMAGED when its end is cut off */
export function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.pop() !== '') throw damaged('its last line is cut off')
  return lines
}

export function damaged(because: string): HoldfastError {
  return new HoldfastError('ARCHIVE_DAMAGED', { because })
}
