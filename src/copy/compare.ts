import type { SessionKey } from '../model/keys.ts'
import { recordLine, type TranscriptRecord } from '../model/records.ts'
import { TranscriptReading } from '../store/carry/read.ts'
import type { Store } from '../store/port.ts'

/** The records of one transcript without the numbers of its store: a row is the first, the second … of its kind. */
class Unnumbered {
  readonly #turns = new Map<number, number>()
  readonly #summaries = new Map<number, number>()

  /** A turn that stands with a later transcript has no number here. */
  line(record: TranscriptRecord): string {
    switch (record.type) {
      case 'entry':
        return recordLine({ ...record, n: 0, turn: record.turn === null ? null : this.#turn(record.turn) })
      case 'turn':
        this.#turns.set(record.position, this.#turns.size + 1)
        return recordLine({ ...record, position: this.#turns.size, holder: null })
      case 'inbound':
      case 'delivery':
        return recordLine({ ...record, id: 0, turn: this.#turn(record.turn) ?? 0 })
      case 'summary': {
        const baseId = record.baseId === null ? null : (this.#summaries.get(record.baseId) ?? null)
        this.#summaries.set(record.id, this.#summaries.size + 1)
        return recordLine({ ...record, id: this.#summaries.size, baseId })
      }
      default:
        return recordLine(record)
    }
  }

  #turn(position: number): number | null {
    return this.#turns.get(position) ?? null
  }
}

/**
 * Reads the same transcript in two stores, to its last record. Null where they hold the same; else what differs first, without any words of
 * it. @throws HoldfastError ARCHIVE_CONFLICT when one of them is written to meanwhile
 */
export async function compareStores(
  one: Store,
  other: Store,
  key: SessionKey,
  transcript: number,
): Promise<string | null> {
  const expected = new TranscriptReading(one, key, transcript)
  const found = new TranscriptReading(other, key, transcript)
  const [ofExpected, ofFound] = [new Unnumbered(), new Unnumbered()]
  for (;;) {
    const [record, same] = await Promise.all([expected.next(), found.next()])
    if (record === undefined) return same === undefined ? null : `has ${nameOf(same)} beyond`
    if (same === undefined) return `ends before ${nameOf(record)}`
    if (ofExpected.line(record) !== ofFound.line(same)) return `has another ${nameOf(record)}`
  }
}

function nameOf(record: TranscriptRecord): string {
  if (record.type === 'entry') return `entry ${record.seq} (${record.id})`
  return record.type === 'turn' ? `turn (${record.id})` : record.type
}
