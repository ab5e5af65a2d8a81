import type { LaneName } from '../model/lanes.ts'

export interface UpkeepVerbs {
  statistics(): Promise<StoreStatistics>
  /** Whether a write would be durable now; it makes one. @throws the reason why not */
  probe(): Promise<void>
  /** Database integrity and Holdfast's own invariants. `quick` skips the full read of every page. */
  verify(input: { quick: boolean; atMs: number }): Promise<VerifyReport>
  /** A consistent copy while writing goes on, reopened and verified. `directory` is new or empty. @throws BACKUP_FAILED */
  backup(input: { directory: string; atMs: number }): Promise<BackupReport>
}

export interface StoreStatistics {
  sessions: number
  sessionsArchived: number
  entries: number
  turnsQueued: number
  turnsRunning: number
  turnsInterrupted: number
  lanes: LaneStatistics[]
  bytes: { database: number; log: number; free: number; blobs: number; diskFree: number }
  /** The last `verify`, also of an earlier process. */
  lastVerify: { atMs: number; ok: boolean } | null
  writable: boolean
  /** Another program reads, or a long read goes on: until it ends the log only grows. Told once it is over 32 MB. */
  logPinned: boolean
  /** Writes refused because their fence was old, since the store was opened. */
  fencedWrites: number
  /** When the next turn that waits for more messages becomes due; null when none does. */
  nextDueAtMs: number | null
}

export interface LaneStatistics {
  lane: LaneName
  queued: number
  running: number
  oldestQueuedAtMs: number | null
}

export interface VerifyReport {
  ok: boolean
  checks: { name: string; ok: boolean; problems: string[] }[]
  sessions: number
  entries: number
  durationMs: number
}

export interface BackupReport {
  path: string
  bytes: number
  sha256: string
  verify: VerifyReport
}
