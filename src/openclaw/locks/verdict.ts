import type { Identity } from '../files/identity.ts'

/** What a lock file says, as far as it is to be believed. */
export interface LockFacts {
  /** Absolute. */
  path: string
  identity: Identity
  mtimeMs: number
  /** null where the file is no payload, with the reason. */
  payload: LockPayload | { malformed: string }
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
  pid: number | null
  ageMs: number
  verdict: Verdict
  /** For people: what proves it, or what is missing for a proof. */
  proof: string
  /** What the holder does, when it can be told: `compaction`, `turn`; else null. */
  operation: string | null
  /** It is held for longer than it said it would be. */
  overdue: boolean
}
