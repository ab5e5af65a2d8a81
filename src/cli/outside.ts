import type { Readable, Writable } from 'node:stream'
import type { Clock } from '../host/clock.ts'

/** Everything the program touches, so that tests run all of it in their own process. */
export interface Outside {
  stdout: Output
  stderr: Output
  stdin: Readable & { isTTY?: boolean }
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  clock: Clock
  /** Calls `listener` at each of these signals until the function it gives back is called. */
  onSignal(names: readonly SignalName[], listener: (name: SignalName) => void): () => void
}

export type Output = Writable & { isTTY?: boolean; columns?: number }
export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** Ends of the program: the same for every command. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const
