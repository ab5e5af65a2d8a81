import type { Entry } from '../../model/entries.ts'
import { headerLine, noRecords, recordLine, recordsVersion, type TranscriptRecord } from '../../model/records.ts'
import { type PlainSession, type PlainState, type PlainTurn, viewOf } from './state.ts'

/** The records of a transcript as every store writes them; what only this one knows is in `more`. */
export function recordsOf(state: PlainState, session: PlainSession, number: number): string {
  const entries = session.transcripts[number - 1] ?? []
  const current = number === session.facts.transcript
  const {
    key,
    state: sessionState,
    title,
    fence,
    transcript,
    contextTokens,
    meterRatio,
    turnsTotal,
  } = viewOf(state, session)
  const { createdAtMs, activeAtMs, archivedAtMs } = session.facts
  const header = headerLine({
    ...{ holdfast: 'transcript', version: recordsVersion },
    session: {
      ...{ key, state: sessionState, title, fence, transcript, contextTokens, meterRatio, turnsTotal },
      ...{ createdAtMs, activeAtMs, archivedAtMs },
    },
    transcript: {
      ...{ number, current, startedAtMs: session.startedMs[number] ?? createdAtMs },
      ...{ endedAtMs: current ? null : (session.startedMs[number + 1] ?? null), resetReason: null },
      entries: entries.length,
    },
  })
  const turns = state.turns.filter(
    ({ facts }) => facts.sessionKey === key && (facts.transcript === number || (current && facts.transcript === null)),
  )
  const records: TranscriptRecord[] = [
    ...turns.flatMap((turn) => turnRecords(state, turn)),
    ...entries.map((entry) => entryRecord(state, entry)),
    ...session.summaries
      .filter((summary) => summary.transcript === number)
      .map(({ transcript: _, ...summary }) => ({ type: 'summary' as const, ...summary })),
  ]
  const counts = { ...noRecords }
  for (const { type } of records) if (type !== 'end') counts[type] += 1
  return header + [...records, { type: 'end' as const, ...counts }].map(recordLine).join('')
}

function entryRecord(state: PlainState, { seq, id, turnId, attempt, kind, body, tokens, atMs }: Entry) {
  const turn = state.turns.find(({ facts }) => facts.id === turnId)?.facts.position ?? null
  const more = turnId === null ? {} : { more: { turnId } }
  return {
    type: 'entry' as const,
    n: seq,
    seq,
    id,
    turn,
    attempt,
    kind,
    tokens,
    atMs,
    body: JSON.stringify(body),
    ...more,
  }
}

const textOrNull = (value: unknown): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value)

function turnRecords(state: PlainState, turn: PlainTurn): TranscriptRecord[] {
  const { facts, request, inbound, asked } = turn
  const { sessionKey, replyFromSeq, replyToSeq, outcome, usage, ...same } = facts
  const { position } = facts
  return [
    {
      ...{ type: 'turn', ...same, fence: null, holder: null, settledFence: null, queuedAtMs: turn.queuedAtMs },
      ...{ interruptedAtMs: null, askedFrom: asked.at(0)?.seq ?? null, askedTo: asked.at(-1)?.seq ?? null },
      ...{ attemptFrom: null, attemptTo: null, replyFrom: replyFromSeq, replyTo: replyToSeq },
      ...{ streaming: Number(request.streaming), outcome: textOrNull(outcome), usage: textOrNull(usage) },
      ...{ deliverTo: textOrNull(request.deliverTo), instructions: JSON.stringify(request.instructions) },
      params: JSON.stringify(request.params),
      more: { plain: JSON.stringify({ ...turn, asked: asked.map(({ id }) => id) }) },
    },
    ...inbound.map(({ dedupeKey: dedupe, messages, tokens, ...each }, index) => ({
      ...{ type: 'inbound' as const, id: index + 1, turn: position, admission: each.admission, dedupe },
      ...{ digest: each.digest, interrupted: each.interruptedTurnId, atMs: each.atMs },
      ...{ tokens: JSON.stringify(tokens), messages: JSON.stringify(messages) },
    })),
    ...state.deliveries
      .filter(({ turnId }) => turnId === facts.id)
      .map(({ id, target, status, attempts, nextAttemptAtMs: nextAtMs, error }) => ({
        ...{ type: 'delivery' as const, id, turn: position, target, status, attempts, nextAtMs, error },
      })),
  ]
}
