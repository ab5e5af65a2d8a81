import { type ErrorRecord, HoldfastError, isHoldfastError, recordOf } from '../../model/errors.ts'
import type { SettledStatus } from '../../model/turns.ts'
import type { Reply } from './reply.ts'

/** Why a runner is told to stop. */
export type Cut =
  | { kind: 'cancelled' }
  | { kind: 'time limit'; limitMs: number }
  | { kind: 'stalled'; limitMs: number }
  /** Its session was taken from it: by a reset, or by whoever revoked it. */
  | { kind: 'fenced'; because: string }
  | { kind: 'closing' }

/** How a runner ended; `ignored`: it did not, and its grace is over. */
export type Ending = { kind: 'returned'; reply: Reply } | { kind: 'threw'; error: unknown } | { kind: 'ignored' }

export type Verdict =
  | { kind: 'done'; reply: Reply }
  | { kind: 'settle'; status: Exclude<SettledStatus, 'done'>; outcome: ErrorRecord }
  /** The same, without the runner's help: it is fenced off. */
  | { kind: 'revoke'; status: Exclude<SettledStatus, 'done'>; outcome: ErrorRecord }
  /** It stays as it is and becomes `interrupted` with its holder. */
  | { kind: 'leave' }
  /** Somebody else has settled it already. */
  | { kind: 'drop'; because: string }

/** What becomes of the turn. A cut outlasts what the runner does afterwards, but a shutdown takes a finished answer. */
export function planEnding(cut: Cut | null, ending: Ending): Verdict {
  if (cut?.kind === 'fenced') return { kind: 'drop', because: cut.because }
  if (cut === null || cut.kind === 'closing') {
    if (ending.kind === 'returned') return { kind: 'done', reply: ending.reply }
    if (cut !== null || ending.kind === 'ignored') return { kind: 'leave' }
    if (isHoldfastError(ending.error, 'FENCED')) return { kind: 'drop', because: 'its fence is old' }
    return { kind: 'settle', status: 'failed', outcome: failureOf(ending.error) }
  }
  const status = cut.kind === 'cancelled' ? 'cancelled' : 'failed'
  return { kind: ending.kind === 'ignored' ? 'revoke' : 'settle', status, outcome: recordOf(reasonOf(cut)) }
}

/** What the runner finds as `signal.reason`, and what becomes of a turn that it ends. */
export function reasonOf(cut: Cut): HoldfastError {
  switch (cut.kind) {
    case 'cancelled':
      return new HoldfastError('TURN_CANCELLED')
    case 'time limit':
      return new HoldfastError('TURN_TIME_LIMIT', { limitMs: cut.limitMs })
    case 'stalled':
      return new HoldfastError('TURN_STALLED', { limitMs: cut.limitMs })
    case 'fenced':
      return new HoldfastError('FENCED', { because: cut.because })
    case 'closing':
      return new HoldfastError('GATEWAY_CLOSING')
  }
}

/** An error of the builder's own code keeps its name only: its message may hold what people wrote. */
function failureOf(error: unknown): ErrorRecord {
  if (isHoldfastError(error)) return recordOf(error)
  return recordOf(new HoldfastError('RUNNER_FAILED', { name: error instanceof Error ? error.name : typeof error }))
}
