import { HoldfastError } from '../../model/errors.ts'
import type { AppendInput } from '../../store/entries.ts'
import type { NewStoredEntry } from '../rows/rows.ts'
import type { Steps } from '../steps.ts'
import { leaseOf, requireHeld } from './ending.ts'
import { addEntries, standAlready } from './transcript.ts'
import type { Work } from './work.ts'

export type StoredAppend = Omit<AppendInput, 'entries'> & { entries: NewStoredEntry[] }

export function* appendEntries(_work: Work, input: StoredAppend): Steps<{ head: number }> {
  const lease = requireHeld(yield* leaseOf(input.key), input)
  if (lease.head !== input.head) {
    const repeated = yield* standAlready(lease.transcriptId, input.head, input.entries)
    if (repeated) return { head: input.head + input.entries.length }
    throw new HoldfastError('HEAD_MOVED', { head: lease.head, expected: input.head })
  }
  const author = { turn: lease.turn, attempt: lease.attempts }
  return { head: yield* addEntries(lease, author, input.entries, input.atMs) }
}
