import { HoldfastError } from '../../model/errors.ts'
import type { Turn } from '../../model/turns.ts'
import type { SettleInput } from '../../store/turns.ts'
import { type NewStoredEntry, type TurnRow, turnOf } from '../file/rows.ts'
import { sessionSql } from '../statements/sessions.ts'
import { turnSql } from '../statements/turns.ts'
import { endRunning, type HeldLease, heldLease } from './ending.ts'
import { refreshReady } from './queue.ts'
import { addEntries } from './transcript.ts'
import type { Work } from './work.ts'

export type StoredSettling = Omit<SettleInput, 'entries'> & { entries: NewStoredEntry[] }

export function settleTurn(work: Work, input: StoredSettling): Turn {
  const before = work.db.first<TurnRow>(turnSql.byId, input.turnId)
  if (before?.settledFence === input.fence) return turnOf(before)
  const lease = heldLease(work, input)
  if (lease.head !== input.head) throw new HoldfastError('HEAD_MOVED', { head: lease.head, expected: input.head })
  const head = addEntries(work.db, lease, { turn: lease.turn, attempt: lease.attempts }, input.entries, input.atMs)
  end(work, lease, input, head)
  work.db.run(sessionSql.release, lease.id, input.atMs, input.meterRatio)
  refreshReady(work, lease.id, false, input.atMs)
  return turnOf(work.db.first<TurnRow>(turnSql.byPosition, lease.turn) as TurnRow)
}

function end(work: Work, lease: HeldLease, input: StoredSettling, head: number): void {
  const { status, outcome, finishReason, usage, fence, atMs } = input
  const reply = status === 'done' && head >= lease.attemptFrom ? { from: lease.attemptFrom, to: head } : null
  endRunning(work, lease, { status, outcome, finishReason, usage, reply, fence, atMs }, head)
}
