import type { Identity, Standing } from '../files/identity.ts'

/** What a lock file says, as far as it is to be believed. */
export interface LockFacts {
  /** Absolute. */
  path: string
  /** Anything else than a file is never taken away. */
  what: Standing
  identity: Identity
  mtimeMs: number
  /** Of what was read; null where nothing was. */
  sha256: string | null
  /** `malformed`: it is no payload; `unreadable`: it cannot be told what it is. With the reason. */
  payload: LockPayload | { malformed: string } | { unreadable: string }
}

export interface LockPayload {
  pid: number
  /** null in a lock that does not say, or says no time. Unit: ms. */
  createdAtMs: number | null
  maxHoldMs: number | null
  /** Field 22 of `/proc/<pid>/stat`; null where the gateway does not write it, or off Linux. */
  startTicks: number | null
}

/**
 * `dead`: no process has this pid in the holder's namespace; `recycled`: one has, and it started at another time; `live`: it is the
 * holder; `malformed`: the file names nobody, and is older than a gateway needs for writing it; `unknown`: it cannot be told from
 * here. Only `dead`, `recycled` and `malformed` are ever cleared.
 */
export type Verdict = 'live' | 'dead' | 'recycled' | 'malformed' | 'unknown'

export interface JudgedLock extends LockFacts {
  /** As the lock says, so in the namespace of its holder. */
  pid: number | null
  ageMs: number
  verdict: Verdict
  /** For people: what proves it, or what is missing for a proof. */
  proof: string
  /** What the holder does, when it can be told: `compaction`, `turn`; else null. */
  operation: string | null
  /** It is held for longer than it said it would be. */
  overdue: boolean
  /** Of a live one. */
  holder: LockHolder | null
}

/** The process that has a lock. */
export interface LockHolder {
  /** Here: in its own container it may have another one. */
  pid: number
  /** Its command line, without credentials. A gateway may have taken a title in its place. */
  command: string
  sinceMs: number | null
  /** One letter as ps(1) has it: D waits for a disk, T is stopped. */
  state: string
  container: string | null
  /** Of one processor, measured for a moment; null where it was not. */
  cpuShare: number | null
  /** Whether it has the lock file open, as gateways do while they hold it. null: that cannot be seen. */
  hasItOpen: boolean | null
}
