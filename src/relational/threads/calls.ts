import type { ErrorRecord } from '../../model/errors.ts'

/** One verb on its way to a thread. */
export interface Call {
  id: number
  verb: string
  input: unknown
}

export type Answer = { id: number; ok: true; value: unknown } | { id: number; ok: false; error: ErrorRecord }

/** What a thread says; answers that are ready together travel together. */
export type Report =
  | { kind: 'opened' }
  | { kind: 'refused'; error: ErrorRecord }
  | { kind: 'answers'; answers: Answer[] }
  /** One commit, or one for many verbs. */
  | { kind: 'committed'; ms: number; verbs: number }
  /** What is to be added to this machine's clock for that of the database. */
  | { kind: 'clock'; aheadMs: number }
  | { kind: 'writable'; writable: boolean; because: ErrorRecord | null }

/** Sent instead of calls: finish and end. */
export const closing = 'close'

/** How a thread is started: its program, its name in messages, and what it is given. */
export interface ThreadStart {
  program: URL
  role: string
  data: unknown
}

/** In a checkout the source runs as it is; published, it was compiled. `beside` is the address of the file that asks. */
export const programBeside = (beside: string, name: string): URL =>
  new URL(`${name}.${beside.endsWith('.ts') ? 'ts' : 'js'}`, beside)
