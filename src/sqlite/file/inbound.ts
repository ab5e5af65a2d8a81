import { inboundSql } from '../statements/turns.ts'
import { bodyText, unpackBody } from './bodies.ts'
import type { Connection } from './connection.ts'
import type { TurnRow } from './rows.ts'

/** An accepted request; `messages` is JSON. */
export interface StoredInbound {
  dedupeKey: string | null
  messages: string
  tokens: number[]
  atMs: number
}

/** How the model is to be asked; `instructions` and `params` are JSON. */
export interface StoredRequestText {
  instructions: string
  params: string
  streaming: boolean
  deliverTo: string[] | null
}

interface InboundRow {
  dedupe: string | null
  messages: string | null
  packed: Uint8Array | null
  tokens: string
  atMs: number
}

export function inboundOf(db: Connection, position: number): StoredInbound[] {
  return db.all<InboundRow>(inboundSql.ofTurn, position).map((row) => ({
    dedupeKey: row.dedupe,
    messages: bodyText(row.messages, row.packed),
    tokens: JSON.parse(row.tokens) as number[],
    atMs: row.atMs,
  }))
}

export function requestOf(db: Connection, turn: TurnRow): StoredRequestText {
  return {
    instructions: turn.instructions ?? blobText(db, turn.instructionsBlob),
    params: turn.params ?? blobText(db, turn.paramsBlob),
    streaming: turn.streaming === 1,
    deliverTo: turn.deliverTo === null ? null : (JSON.parse(turn.deliverTo) as string[]),
  }
}

function blobText(db: Connection, id: number | null): string {
  const { body } = db.first<{ body: Uint8Array }>(inboundSql.blobBody, id) as { body: Uint8Array }
  return unpackBody(body)
}
