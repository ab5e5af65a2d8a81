import { HoldfastError } from '../../model/errors.ts'
import type { Turn } from '../../model/turns.ts'
import type { SettleInput } from '../../store/turns.ts'
import { type NewStoredEntry, type TurnRow, turnOf } from '../rows/rows.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { first, type Steps, together, write } from '../steps.ts'
import { endRunning, type HeldLease, leaseOf, requireHeld } from './ending.ts'
import { refreshReady } from './queue.ts'
import { addEntries } from './transcript.ts'
import type { Work } from './work.ts'

export type StoredSettling = Omit<SettleInput, 'entries'> & { entries: NewStoredEntry[] }

export function* settleTurn(work: Work, input: StoredSettling): Steps<Turn> {
  const [before, found] = yield* together(first<TurnRow>(turnSql.byId, input.turnId), leaseOf(input.key))
  if (before?.settledFence === input.fence) return turnOf(before)
  const lease = requireHeld(found, input)
  if (lease.head !== input.head) throw new HoldfastError('HEAD_MOVED', { head: lease.head, expected: input.head })
  const head = yield* addEntries(lease, { turn: lease.turn, attempt: lease.attempts }, input.entries, input.atMs)
  yield* end(lease, input, head)
  yield* write(sessionSql.release, lease.id, input.atMs, input.meterRatio)
  yield* refreshReady(work, lease.id, false, input.atMs)
  return turnOf((yield* first<TurnRow>(turnSql.byPosition, lease.turn)) as TurnRow)
}

function* end(lease: HeldLease, input: StoredSettling, head: number): Steps<void> {
  const { status, outcome, finishReason, usage, fence, atMs } = input
  const reply = status === 'done' && head >= lease.attemptFrom ? { from: lease.attemptFrom, to: head } : null
  yield* endRunning(lease, { status, outcome, finishReason, usage, reply, fence, atMs }, head)
}
