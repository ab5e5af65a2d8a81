import { timedId } from '../../host/random.ts'
import type { Message } from '../../model/messages.ts'
import type { StoredInbound } from '../rows/inbound.ts'
import type { NewStoredEntry, SessionRow, TurnRow } from '../rows/rows.ts'
import type { Steps } from '../steps.ts'
import { addEntries } from './transcript.ts'

/** Where a turn's own messages stand in the current transcript, and whether they stood there before. */
interface Asked {
  from: number
  to: number
  stood: boolean
}

/** A turn's own messages stand in the current transcript afterwards, once. After a reset they are in an earlier one only. */
export function* addAsked(
  session: SessionRow,
  turn: TurnRow,
  attempt: number,
  inbound: readonly StoredInbound[],
  atMs: number,
): Steps<Asked> {
  const { askedFrom, askedTo } = turn
  const stood = askedFrom !== null && askedTo !== null && turn.transcript === session.transcript
  if (stood) return { from: askedFrom, to: askedTo, stood }
  const entries = inbound.flatMap((each) => entriesOf(each, atMs))
  const to = yield* addEntries(session, { turn: turn.position, attempt }, entries, atMs)
  return { from: session.head + 1, to, stood }
}

function entriesOf(inbound: StoredInbound, atMs: number): NewStoredEntry[] {
  const messages = JSON.parse(inbound.messages) as Message[]
  return messages.map((message, at) => ({
    id: timedId(atMs),
    kind: message.role === 'developer' ? 'system' : message.role,
    body: JSON.stringify(message),
    tokens: inbound.tokens[at] ?? 0,
  }))
}
