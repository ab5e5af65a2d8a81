import type { SessionKey } from '../../src/model/keys.ts'

/** One life of the process. Times are the simulated clock's. */
export interface Span {
  seed: number
  /** When the world began, where the last span stopped, and when this process starts and ends. */
  worldMs: number
  beforeMs: number
  startMs: number
  endMs: number
  /** Names the messages of this span. */
  name: string
  /** Conversations for each of the habits'. */
  scale: number
  /** Turns that take hours. */
  slowShare: number
  /** Whether some turns end the process. */
  poison: boolean
  /** The wall clock goes a year forward, for a while, and back again. */
  jumps: boolean
  /** What the spans before have left. */
  open: { key: SessionKey; turnId: string }[]
  pinned: SessionKey[]
}
