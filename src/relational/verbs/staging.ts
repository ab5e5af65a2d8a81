import { HoldfastError } from '../../model/errors.ts'
import {
  type BodyRecord,
  type DeliveryRecord,
  damaged,
  type EntryRecord,
  type HeaderRecord,
  type InboundRecord,
  type SummaryRecord,
  type TurnRecord,
} from '../../model/records.ts'
import { bodyInlineMaxBytes, placeBody, requestInlineMaxBytes } from '../rows/bodies.ts'
import { insertRecord } from '../rows/records.ts'
import { purgeSql, returnSql, type WithheldRow } from '../statements/archives.ts'
import { all, first, run, type Steps, write } from '../steps.ts'
import { Numbers, placeOfForeign, type SummaryNumbers } from './numbers.ts'
import { type DoomedTurn, deleteTurn, dropBlobs } from './purge.ts'

interface EndOfTranscript {
  seq: number
  id: string
  shownCount: number
  shownTokens: number
}

/**
 * Writes records where nobody sees them. Ids and numbers are those that the rows had, and nobody was given them since; where
 * a row with the same is hidden too, on its way out or from an earlier try, it makes room.
 */
export class Staging {
  /** Of bodies so far. */
  bytes = 0
  readonly #stage: WithheldRow
  /** Bodies that deleted rows referred to. */
  readonly #blobs = new Set<number>()
  /** Null where the records have the numbers that they had here. */
  readonly #numbers: Numbers | null
  #end: EndOfTranscript

  private constructor(stage: WithheldRow, numbers: Numbers | null, end: EndOfTranscript) {
    this.#stage = stage
    this.#numbers = numbers
    this.#end = end
  }

  /** `summaries`: those of the parts before, see `Numbers`. */
  static *begin(stage: WithheldRow, summaries: SummaryNumbers): Steps<Staging> {
    const end = yield* first<EndOfTranscript>(returnSql.last, stage.transcript)
    const { numbers } = JSON.parse(stage.header ?? '{}') as Partial<HeaderRecord>
    const given = numbers === 'foreign' ? new Numbers(stage.session, summaries) : null
    return new Staging(stage, given, end ?? { seq: 0, id: '', shownCount: 0, shownTokens: 0 })
  }

  get summaries(): SummaryNumbers {
    return this.#numbers?.summaries ?? {}
  }

  *add(brought: BodyRecord): Steps<void> {
    const record = this.#numbers === null ? brought : yield* this.#numbers.given(brought)
    const place = this.#numbers !== null && brought.type === 'turn' ? brought.position : null
    if (yield* this.#insert(record, place)) return
    yield* this.#makeRoom(record)
    if (!(yield* this.#insert(record, place))) throw damaged('it has the same row twice')
  }

  *finish(): Steps<void> {
    yield* dropBlobs(this.#blobs)
  }

  /** False when a row with one of its numbers or ids is there already. */
  *#insert(record: BodyRecord, foreignPosition: number | null): Steps<boolean> {
    const { transcript, session, number } = this.#stage
    switch (record.type) {
      case 'entry':
        return yield* this.#insertEntry(record)
      case 'turn':
        return yield* this.#insertTurn(record, foreignPosition)
      case 'inbound':
        return yield* this.#insertInbound(record)
      case 'delivery':
        return yield* insertRecord(record, {})
      case 'summary':
        return yield* insertRecord(record, { session, transcript: number, ...(yield* this.#summaryIds(record)) })
      case 'hidden': {
        const { fromSeq, toSeq, count, tokens } = record
        return (yield* run(returnSql.addHidden, transcript, fromSeq, toSeq, count, tokens)) === 1
      }
    }
  }

  *#insertEntry(record: EntryRecord): Steps<boolean> {
    const before = this.#end
    if (record.seq !== before.seq + 1) throw damaged('its entries are not in order')
    const place = yield* placeBody(record.body, bodyInlineMaxBytes)
    const shown = record.kind === 'event' ? { count: 0, tokens: 0 } : { count: 1, tokens: record.tokens }
    const shownCount = before.shownCount + shown.count
    const shownTokens = before.shownTokens + shown.tokens
    const added = yield* insertRecord(record, {
      ...(record.n === 0 ? { n: yield* this.#next('entry') } : {}),
      ...{ transcript: this.#stage.transcript, parent_id: before.seq === 0 ? null : before.id },
      ...{ body: place.text, blob: place.blob, bytes: place.bytes, shown_count: shownCount, shown_tokens: shownTokens },
    })
    if (!added) return false
    this.bytes += place.bytes
    this.#end = { seq: record.seq, id: record.id, shownCount, shownTokens }
    return true
  }

  /** What never was here has no numbers yet. */
  *#summaryIds(record: SummaryRecord): Steps<{ id?: number; base_id?: number }> {
    if (record.id !== 0) return {}
    const { session, number } = this.#stage
    const before = yield* first<{ id: number }>(returnSql.lastSummary, session, number)
    const base = record.baseId === 0 ? before : undefined
    return { id: yield* this.#next('summary'), ...(base === undefined ? {} : { base_id: base.id }) }
  }

  *#next(table: 'entry' | 'summary'): Steps<number> {
    return ((yield* first<{ next: number }>(returnSql.next[table])) as { next: number }).next
  }

  *#insertTurn(record: TurnRecord, foreignPosition: number | null): Steps<boolean> {
    const instructions = yield* placeBody(record.instructions ?? '[]', requestInlineMaxBytes)
    const params = yield* placeBody(record.params ?? '{}', requestInlineMaxBytes)
    const { place, laneOrder } =
      foreignPosition === null
        ? { place: record.position, laneOrder: record.position }
        : placeOfForeign(foreignPosition)
    const holds = record.holder !== null && (yield* first(returnSql.hasHolder, record.holder)) !== undefined
    return yield* insertRecord(record, {
      ...{ session: this.#stage.session, place, lane_order: laneOrder },
      ...{ holder: holds ? record.holder : null, instructions: instructions.text, params: params.text },
      ...{ instructions_blob: instructions.blob, params_blob: params.blob },
    })
  }

  *#insertInbound(record: InboundRecord): Steps<boolean> {
    const place = yield* placeBody(record.messages, bodyInlineMaxBytes)
    return yield* insertRecord(record, {
      ...{ session: this.#stage.session, messages: place.text, blob: place.blob, bytes: place.bytes },
    })
  }

  /** @throws HoldfastError ARCHIVE_CONFLICT when a row that is seen has its place */
  *#makeRoom(record: BodyRecord): Steps<void> {
    switch (record.type) {
      case 'entry':
        yield* this.#makeRoomForEntry(record)
        break
      case 'turn':
        yield* this.#makeRoomForTurn(record)
        break
      case 'inbound':
        yield* this.#makeRoomForInbound(record)
        break
      case 'delivery':
        yield* this.#makeRoomForDelivery(record)
        break
      case 'summary':
        yield* this.#makeRoomForSummary(record)
        break
      case 'hidden':
        throw damaged('it hides a range twice')
    }
  }

  *#makeRoomForEntry({ n, id }: EntryRecord): Steps<void> {
    const found = yield* all<{ n: number; transcript: number; blob: number | null; bytes: number }>(
      returnSql.entryAt,
      n,
      id,
    )
    for (const { n: at, transcript, blob, bytes } of found) {
      const withheld = yield* first<WithheldRow>(returnSql.withheldOf, transcript)
      if (withheld === undefined || transcript === this.#stage.transcript) throw conflict('entry', at)
      yield* write(returnSql.dropEntry, at)
      if (withheld.counted === 1) yield* write(purgeSql.countOffBytes, withheld.session, bytes)
      if (blob !== null) this.#blobs.add(blob)
    }
  }

  *#makeRoomForTurn({ position, id }: TurnRecord): Steps<void> {
    const found = yield* all<DoomedTurn & { session: number; transcript: number | null }>(
      returnSql.turnAt,
      position,
      id,
    )
    for (const turn of found) {
      if (!(yield* this.#isHidden(turn.session, turn.transcript))) throw conflict('turn', turn.position)
      yield* deleteTurn(turn, this.#blobs)
    }
  }

  *#makeRoomForInbound({ id, admission }: InboundRecord): Steps<void> {
    for (const row of yield* all<{ id: number; turn: number; blob: number | null }>(
      returnSql.inboundAt,
      id,
      admission,
    )) {
      if (!(yield* this.#isOfHidden(row.turn))) throw conflict('inbound', row.id)
      if (row.blob !== null) this.#blobs.add(row.blob)
      yield* write(returnSql.dropInboundAt, row.id)
    }
  }

  *#makeRoomForDelivery({ id, turn, target }: DeliveryRecord): Steps<void> {
    for (const row of yield* all<{ id: number; turn: number }>(returnSql.deliveryAt, id, turn, target)) {
      if (!(yield* this.#isOfHidden(row.turn))) throw conflict('delivery', row.id)
      yield* write(returnSql.dropDeliveryAt, row.id)
    }
  }

  *#makeRoomForSummary({ id }: SummaryRecord): Steps<void> {
    for (const row of yield* all<{ session: number; transcript: number }>(returnSql.summaryAt, id)) {
      if (!(yield* this.#isHidden(row.session, row.transcript))) throw conflict('summary', id)
      yield* write(returnSql.dropSummaryAt, id)
    }
  }

  *#isOfHidden(position: number): Steps<boolean> {
    const turn = yield* first<{ session: number; transcript: number | null }>(returnSql.turnAt, position, '')
    return turn === undefined || (yield* this.#isHidden(turn.session, turn.transcript))
  }

  *#isHidden(session: number, transcript: number | null): Steps<boolean> {
    return (yield* first(returnSql.isWithheldTurn, session, transcript)) !== undefined
  }
}

/** Numbers only: ids of entries may be words of a builder. */
function conflict(table: string, number: number): HoldfastError {
  return new HoldfastError('ARCHIVE_CONFLICT', { table, number })
}
