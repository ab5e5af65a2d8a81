import type { SessionKey } from '../../../model/keys.ts'
import type { TranscriptRecord } from '../../../model/records.ts'
import { TranscriptReading } from '../../../store/carry/read.ts'
import type { Store } from '../../../store/port.ts'

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
  const found = new TranscriptReading(store, key, transcript)
  for await (const record of expected) {
    if (isContinued && record.type !== 'entry') return null
    const other = await found.next()
    const own = isContinued ? [...givenOf(record), 'tokens'] : givenOf(record)
    const difference = other === undefined ? `it ends before ${nameOf(record)}` : differenceOf(record, other, own)
    if (difference !== null) return difference
  }
  const more = isContinued ? undefined : await found.next()
  return more === undefined ? null : `it has ${nameOf(more)} beyond what it should have`
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
