import type { Holder } from '../model/holders.ts'
import type { SessionKey } from '../model/keys.ts'
import type { LaneName } from '../model/lanes.ts'

/** What is read of waits: cheap with 100,000 waiting turns. */
export interface WaitVerbs {
  /** Waiting turns of one lane, longest wait first, by keyset. */
  listWaits(query: WaitQuery): Promise<Wait[]>
  /** How long the lanes are, who runs, and who sent what waits. */
  readLanes(): Promise<LaneReading>
  /** How many turns wait in a session, and what stands before the next of them. @throws SESSION_NOT_FOUND */
  readQueue(key: SessionKey): Promise<QueueReading>
}

/** A turn that waits: `queued`, or `interrupted` and not queued again yet. */
export interface Wait {
  turnId: string
  /** Order of admission over the whole store. */
  position: number
  sessionKey: SessionKey
  lane: LaneName
  source: string
  status: WaitStatus
  /** Admitted or queued again; for an interrupted turn, when it was found so. */
  sinceMs: number
  /** Nothing of its own session stands before it. */
  first: boolean
  /** The holder (its id) that has the session now; null when nobody has. */
  heldBy: string | null
}

export const waitStatuses = ['queued', 'interrupted'] as const
export type WaitStatus = (typeof waitStatuses)[number]

/** Place of a wait in the order of `listWaits`. */
export interface WaitPlace {
  sinceMs: number
  position: number
}

export interface WaitQuery {
  lane: LaneName
  status: WaitStatus
  /** Only what comes behind this. */
  after: WaitPlace | null
  /** Only waits that began then or before. */
  beganByMs: number
  limit: number
}

export interface LaneReading {
  lanes: LaneDepth[]
  /** The longest running first, `runningMax` at most. */
  running: RunningNow[]
}

/** Running turns that `readLanes` names. */
export const runningMax = 200
/** Waiting turns of a lane, the oldest, among which `readLanes` looks for sources, and how many sources it names. */
export const sourcesAmongMax = 2_000
export const sourcesMax = 5

interface LaneDepth {
  lane: LaneName
  queued: number
  interrupted: number
  running: number
  /** The longest wait among the queued. */
  oldest: Wait | null
  /** Those with the most turns among the oldest that wait, most first. */
  sources: { source: string; waiting: number }[]
}

export interface RunningNow {
  turnId: string
  sessionKey: SessionKey
  lane: LaneName
  source: string
  holder: Pick<Holder, 'id' | 'pid' | 'host'>
  takenAtMs: number
  progressAtMs: number
  progressNote: string
}

export interface QueueReading {
  /** Queued turns of the session. */
  waiting: number
  /** Since when the longest waits; null when none does. */
  oldestAtMs: number | null
  /** Turns of its lane that were queued before the session's next one; 0 when none waits. */
  aheadInLane: number
}
