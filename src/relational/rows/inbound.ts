import { inboundSql } from '../statements/turns.ts'
import { all, first, type Steps } from '../steps.ts'
import { bodyText, unpackBody } from './bodies.ts'
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

export function* inboundOf(position: number): Steps<StoredInbound[]> {
  return (yield* all<InboundRow>(inboundSql.ofTurn, position)).map((row) => ({
    dedupeKey: row.dedupe,
    messages: bodyText(row.messages, row.packed),
    tokens: JSON.parse(row.tokens) as number[],
    atMs: row.atMs,
  }))
}

export function* requestOf(turn: TurnRow): Steps<StoredRequestText> {
  return {
    instructions: turn.instructions ?? (yield* blobText(turn.instructionsBlob)),
    params: turn.params ?? (yield* blobText(turn.paramsBlob)),
    streaming: turn.streaming === 1,
    deliverTo: turn.deliverTo === null ? null : (JSON.parse(turn.deliverTo) as string[]),
  }
}

function* blobText(id: number | null): Steps<string> {
  const { body } = (yield* first<{ body: Uint8Array }>(inboundSql.blobBody, id)) as { body: Uint8Array }
  return unpackBody(body)
}
