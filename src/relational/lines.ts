import type { HolderVerbs } from '../store/holders.ts'
import type { BackupReport, VerifyReport } from '../store/upkeep.ts'
import type { ReadVerbs } from './read-verbs.ts'
import type { searchEntries } from './reads/search.ts'
import type { Steps } from './steps.ts'
import type { WriteVerbs } from './write-verbs.ts'

/** What takes long, or concerns the whole database. */
export interface KeepVerbs {
  searchEntries: typeof searchEntries
  verify(input: { quick: boolean; atMs: number }): VerifyReport
  backup(input: { directory: string; atMs: number }): BackupReport
  giveBack(input: { pagesMax: number }): { freeBytes: number }
  scrub(input: null): void
}

// biome-ignore lint/suspicious/noExplicitAny: what a verb takes and gives is read off below.
type Verbs<V> = Record<keyof V, (...inputs: any[]) => unknown>

/** What is asked of a verb that writes stands behind its work; of another it comes first. */
type InputOf<F> = F extends (work: infer W, input: infer I) => unknown
  ? W extends { again: boolean }
    ? I
    : W
  : F extends (input: infer I) => unknown
    ? I
    : null
export type Input<V extends Verbs<V>, N extends keyof V> = InputOf<V[N]>
export type Output<V extends Verbs<V>, N extends keyof V> =
  ReturnType<V[N]> extends Steps<infer T> ? T : Awaited<ReturnType<V[N]>>

/** An adapter as the handle sees it: it carries verbs to the thread that has the database. */
export interface Lines {
  readonly writable: boolean
  /** Writes refused because their fence was old. */
  readonly fencedWrites: number
  /** A reader keeps a long log from being brought in. */
  readonly logPinned: boolean
  write<N extends keyof WriteVerbs>(verb: N, input: Input<WriteVerbs, N>): Promise<Output<WriteVerbs, N>>
  read<N extends keyof ReadVerbs>(verb: N, input: Input<ReadVerbs, N>): Promise<Output<ReadVerbs, N>>
  keep<N extends keyof KeepVerbs>(verb: N, input: Input<KeepVerbs, N>): Promise<Output<KeepVerbs, N>>
  /** A verb of the same kind that writes. */
  tend<N extends keyof KeepVerbs>(verb: N, input: Input<KeepVerbs, N>): Promise<Output<KeepVerbs, N>>
  readonly shared: boolean
  readonly clockAheadMs: number
  /** What is between processes that share the store; answered by the adapter itself. */
  readonly others: Pick<HolderVerbs, 'announce' | 'listHolders' | 'takeDuty'>
  close(atClose?: () => void): Promise<void>
}

/** Names of verbs that telemetry does not know: they are ours. */
export const internalVerbs: ReadonlySet<string> = new Set<string>(['checkReadable', 'recordVerify'])
