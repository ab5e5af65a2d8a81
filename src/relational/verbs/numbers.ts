import type { BodyRecord } from '../../model/records.ts'
import { returnSql } from '../statements/archives.ts'
import { first, type Steps } from '../steps.ts'

/** Summaries of one transcript that came in with earlier parts: the number of then, and that of now. */
export type SummaryNumbers = Record<string, number>

/**
 * Gives rows that come from another store numbers of this one. What names a row of an earlier part, or of a transcript that came in before, is
 * found by the number of then, which stands in a turn's `place` once it has ended: nothing waits there any more.
 */
export class Numbers {
  readonly summaries: SummaryNumbers
  readonly #session: number
  readonly #turns = new Map<number, number | null>()

  constructor(session: number, summaries: SummaryNumbers) {
    this.#session = session
    this.summaries = { ...summaries }
  }

  /** The same record with numbers of this store. */
  *given(record: BodyRecord): Steps<BodyRecord> {
    switch (record.type) {
      case 'entry':
        return { ...record, n: yield* next('entry'), turn: yield* this.#turn(record.turn) }
      case 'turn': {
        const position = yield* next('turn')
        this.#turns.set(record.position, position)
        return { ...record, position }
      }
      case 'inbound':
        return { ...record, id: yield* next('inbound'), turn: (yield* this.#turn(record.turn)) ?? 0 }
      case 'delivery':
        return { ...record, id: yield* next('delivery'), turn: (yield* this.#turn(record.turn)) ?? 0 }
      case 'summary': {
        const id = yield* next('summary')
        this.summaries[record.id] = id
        return { ...record, id, baseId: record.baseId === null ? null : (this.summaries[record.baseId] ?? null) }
      }
      case 'hidden':
        return record
    }
  }

  /** Null where the turn is not there: it was deleted over there, too. */
  *#turn(then: number | null): Steps<number | null> {
    if (then === null) return null
    const known = this.#turns.get(then)
    if (known !== undefined) return known
    const { place, laneOrder } = placeOfForeign(then)
    const found = yield* first<{ position: number }>(returnSql.turnFrom, this.#session, place, laneOrder)
    this.#turns.set(then, found?.position ?? null)
    return found?.position ?? null
  }
}

/** No turn that was admitted here has these two. */
export const placeOfForeign = (then: number) => ({ place: then, laneOrder: -then - 1 })

function* next(table: keyof typeof returnSql.next): Steps<number> {
  return ((yield* first<{ next: number }>(returnSql.next[table])) as { next: number }).next
}
