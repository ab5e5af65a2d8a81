import { HoldfastError } from '../../model/errors.ts'
import {
  type BodyRecord,
  type DeliveryRecord,
  damaged,
  type EntryRecord,
  type InboundRecord,
  type SummaryRecord,
  type TurnRecord,
} from '../../model/records.ts'
import { bodyInlineMaxBytes, placeBody, requestInlineMaxBytes } from '../file/bodies.ts'
import { isConstraint } from '../file/failures.ts'
import { insertRecord } from '../file/records.ts'
import { purgeSql, returnSql, type WithheldRow } from '../statements/archives.ts'
import { type DoomedTurn, deleteTurn, dropBlobs } from './purge.ts'
import type { Work } from './work.ts'

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
  readonly #work: Work
  readonly #stage: WithheldRow
  /** Bodies that deleted rows referred to. */
  readonly #blobs = new Set<number>()
  #end: EndOfTranscript

  constructor(work: Work, stage: WithheldRow) {
    this.#work = work
    this.#stage = stage
    const end = work.db.first<EndOfTranscript>(returnSql.last, stage.transcript)
    this.#end = end ?? { seq: 0, id: '', shownCount: 0, shownTokens: 0 }
  }

  add(record: BodyRecord): void {
    try {
      this.#insert(record)
    } catch (error) {
      if (!isConstraint(error)) throw error
      this.#makeRoom(record)
      this.#insert(record)
    }
  }

  finish(): void {
    dropBlobs(this.#work.db, this.#blobs)
  }

  #insert(record: BodyRecord): void {
    const { db } = this.#work
    const { transcript, session, number } = this.#stage
    switch (record.type) {
      case 'entry':
        this.#insertEntry(record)
        break
      case 'turn':
        this.#insertTurn(record)
        break
      case 'inbound':
        this.#insertInbound(record)
        break
      case 'delivery':
        insertRecord(db, record, {})
        break
      case 'summary':
        insertRecord(db, record, { session, transcript: number, ...this.#summaryIds(record) })
        break
      case 'hidden':
        db.run(returnSql.addHidden, transcript, record.fromSeq, record.toSeq, record.count, record.tokens)
    }
  }

  #insertEntry(record: EntryRecord): void {
    const before = this.#end
    if (record.seq !== before.seq + 1) throw damaged('its entries are not in order')
    const place = placeBody(this.#work.db, record.body, bodyInlineMaxBytes)
    const shown = record.kind === 'event' ? { count: 0, tokens: 0 } : { count: 1, tokens: record.tokens }
    const shownCount = before.shownCount + shown.count
    const shownTokens = before.shownTokens + shown.tokens
    insertRecord(this.#work.db, record, {
      ...(record.n === 0 ? { n: this.#next('entry') } : {}),
      ...{ transcript: this.#stage.transcript, parent_id: before.seq === 0 ? null : before.id },
      ...{ body: place.text, blob: place.blob, bytes: place.bytes, shown_count: shownCount, shown_tokens: shownTokens },
    })
    this.bytes += place.bytes
    this.#end = { seq: record.seq, id: record.id, shownCount, shownTokens }
  }

  /** What never was here has no numbers yet. */
  #summaryIds(record: SummaryRecord): { id?: number; base_id?: number } {
    if (record.id !== 0) return {}
    const { session, number } = this.#stage
    const before = this.#work.db.first<{ id: number }>(returnSql.lastSummary, session, number)
    const base = record.baseId === 0 ? before : undefined
    return { id: this.#next('summary'), ...(base === undefined ? {} : { base_id: base.id }) }
  }

  #next(table: 'entry' | 'summary'): number {
    return (this.#work.db.first<{ next: number }>(returnSql.next[table]) as { next: number }).next
  }

  #insertTurn(record: TurnRecord): void {
    const { db } = this.#work
    const instructions = placeBody(db, record.instructions ?? '[]', requestInlineMaxBytes)
    const params = placeBody(db, record.params ?? '{}', requestInlineMaxBytes)
    const holds = record.holder !== null && db.first(returnSql.hasHolder, record.holder) !== undefined
    insertRecord(db, record, {
      ...{ session: this.#stage.session, place: record.position, lane_order: record.position },
      ...{ holder: holds ? record.holder : null, instructions: instructions.text, params: params.text },
      ...{ instructions_blob: instructions.blob, params_blob: params.blob },
    })
  }

  #insertInbound(record: InboundRecord): void {
    const place = placeBody(this.#work.db, record.messages, bodyInlineMaxBytes)
    insertRecord(this.#work.db, record, {
      ...{ session: this.#stage.session, messages: place.text, blob: place.blob, bytes: place.bytes },
    })
  }

  /** @throws HoldfastError ARCHIVE_CONFLICT when a row that is seen has its place */
  #makeRoom(record: BodyRecord): void {
    switch (record.type) {
      case 'entry':
        this.#makeRoomForEntry(record)
        break
      case 'turn':
        this.#makeRoomForTurn(record)
        break
      case 'inbound':
        this.#makeRoomForInbound(record)
        break
      case 'delivery':
        this.#makeRoomForDelivery(record)
        break
      case 'summary':
        this.#makeRoomForSummary(record)
        break
      case 'hidden':
        throw damaged('it hides a range twice')
    }
  }

  #makeRoomForEntry({ n, id }: EntryRecord): void {
    const { db } = this.#work
    const found = db.all<{ n: number; transcript: number; blob: number | null; bytes: number }>(
      returnSql.entryAt,
      n,
      id,
    )
    for (const { n: at, transcript, blob, bytes } of found) {
      const withheld = db.first<WithheldRow>(returnSql.withheldOf, transcript)
      if (withheld === undefined || transcript === this.#stage.transcript) throw conflict('entry', at)
      db.run(returnSql.dropEntry, at)
      if (withheld.counted === 1) db.run(purgeSql.countOffBytes, withheld.session, bytes)
      if (blob !== null) this.#blobs.add(blob)
    }
  }

  #makeRoomForTurn({ position, id }: TurnRecord): void {
    const { db } = this.#work
    const found = db.all<DoomedTurn & { session: number; transcript: number | null }>(returnSql.turnAt, position, id)
    for (const turn of found) {
      if (!this.#isHidden(turn.session, turn.transcript)) throw conflict('turn', turn.position)
      deleteTurn(db, turn, this.#blobs)
    }
  }

  #makeRoomForInbound({ id, admission }: InboundRecord): void {
    const { db } = this.#work
    for (const row of db.all<{ id: number; turn: number; blob: number | null }>(returnSql.inboundAt, id, admission)) {
      if (!this.#isOfHidden(row.turn)) throw conflict('inbound', row.id)
      if (row.blob !== null) this.#blobs.add(row.blob)
      db.run(returnSql.dropInboundAt, row.id)
    }
  }

  #makeRoomForDelivery({ id, turn, target }: DeliveryRecord): void {
    const { db } = this.#work
    for (const row of db.all<{ id: number; turn: number }>(returnSql.deliveryAt, id, turn, target)) {
      if (!this.#isOfHidden(row.turn)) throw conflict('delivery', row.id)
      db.run(returnSql.dropDeliveryAt, row.id)
    }
  }

  #makeRoomForSummary({ id }: SummaryRecord): void {
    const { db } = this.#work
    for (const row of db.all<{ session: number; transcript: number }>(returnSql.summaryAt, id)) {
      if (!this.#isHidden(row.session, row.transcript)) throw conflict('summary', id)
      db.run(returnSql.dropSummaryAt, id)
    }
  }

  #isOfHidden(position: number): boolean {
    const turn = this.#work.db.first<{ session: number; transcript: number | null }>(returnSql.turnAt, position, '')
    return turn === undefined || this.#isHidden(turn.session, turn.transcript)
  }

  #isHidden(session: number, transcript: number | null): boolean {
    return this.#work.db.first(returnSql.isWithheldTurn, session, transcript) !== undefined
  }
}

/** Numbers only: ids of entries may be words of a builder. */
function conflict(table: string, number: number): HoldfastError {
  return new HoldfastError('ARCHIVE_CONFLICT', { table, number })
}
