import { kindOf, type SessionKey } from './keys.ts'

/** Named queues, in the order of their classes: user > subagent > cron > resume > background. */
export const laneNames = ['main', 'subagent', 'cron', 'resume', 'background'] as const
export type LaneName = (typeof laneNames)[number]

/** The lane whose turns people wait for: some slots are kept free for it. */
export const userLane: LaneName = 'main'

/** Where a turn of this session waits when nobody says otherwise. */
export function laneOf(key: SessionKey): LaneName {
  const kind = kindOf(key)
  if (kind === 'subagent') return 'subagent'
  return kind === 'cron' || kind === 'cron-run' || kind === 'heartbeat' ? 'cron' : 'main'
}

export interface LaneRule {
  /** Turns of this lane that run at once in one process. */
  concurrency: number
  /** How long a waiting turn lets turns of lanes with less patience go first. */
  patienceMs: number
  /** A wait longer than this is reported, once. */
  waitLimitMs: number
}

export interface LaneRules {
  /** Turns that run at once in one process, over all lanes. */
  slots: number
  /** Of these, how many only the user lane may take. */
  userSlots: number
  /** Share of a lane's concurrency that one source may hold; at least one slot. Above 0, at most 1. */
  sourceShare: number
  lanes: Readonly<Record<LaneName, LaneRule>>
}
