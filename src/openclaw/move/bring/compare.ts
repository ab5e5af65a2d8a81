import type { SessionKey } from '../../../model/keys.ts'
import { parseRecord, linesOf as recordLines, type TranscriptRecord } from '../../../model/records.ts'
import type { Store } from '../../../store/port.ts'

/** Of one answer of the store. */
const partBytes = 1024 ** 2

export interface CompareOptions {
  /** The session may have gone on since, with another version: what follows is not looked at, nor summaries, nor counts of tokens. */
  isContinued: boolean
}

/**
 * Reads a transcript back, to its last record, beside what it should be. null where they are the same; else what differs first, without
 * any words of it.
 */
export async function compareTranscript(
  store: Store,
  key: SessionKey,
  transcript: number,
  expected: AsyncIterable<TranscriptRecord>,
  { isContinued }: CompareOptions,
): Promise<string | null> {
  const found = readRecords(store, key, transcript)
  for await (const record of expected) {
    if (isContinued && record.type !== 'entry') return null
    const { value: other } = await found.next()
    const own = isContinued ? [...givenOf(record), 'tokens'] : givenOf(record)
    const difference = other === undefined ? `it ends before ${nameOf(record)}` : differenceOf(record, other, own)
    if (difference !== null) return difference
  }
  const more = isContinued ? undefined : (await found.next()).value
  return more === undefined ? null : `it has ${nameOf(more)} beyond what it should have`
}

async function* readRecords(
  store: Store,
  key: SessionKey,
  transcript: number,
): AsyncGenerator<TranscriptRecord, undefined, undefined> {
  let after: string | null | undefined
  while (after !== null) {
    const item = { key, transcript, ...(after === undefined ? {} : { after }) }
    const [part] = await store.exportTranscripts({ items: [item], bytesMax: partBytes })
    if (part === undefined) return
    const lines = recordLines(part.text)
    if (after === undefined) lines.shift()
    for (const line of lines) yield parseRecord(line)
    after = part.next
  }
}

/** What the store itself gives. */
function givenOf({ type }: TranscriptRecord): string[] {
  return type === 'entry' ? ['n'] : type === 'summary' ? ['id', 'baseId'] : []
}

function differenceOf(expected: TranscriptRecord, found: TranscriptRecord, except: readonly string[]): string | null {
  if (expected.type !== found.type) return `there is ${nameOf(found)} in place of ${nameOf(expected)}`
  const values = found as unknown as Record<string, unknown>
  for (const [field, value] of Object.entries(expected)) {
    if (!except.includes(field) && values[field] !== value) {
      return `${nameOf(expected)} has another ${field}`
    }
  }
  return null
}

function nameOf(record: TranscriptRecord): string {
  if (record.type === 'entry') return `entry ${record.seq} (${record.id})`
  return record.type === 'end' ? 'its end' : `a ${record.type}`
}
