import { formatDuration } from '../../model/units.ts'
import { moment } from '../print/words.ts'

/** What a command does to the data. `check` also writes down that it looked, where it can. */
export type Need = 'read' | 'check' | 'write'

export interface OwnerFacts {
  pid: number
  sinceMs: number
  address: string | null
  socket: string | null
}

/** `nobody`: no process listens there. `silent`: one does, and did not answer within {@link probeLimitMs}. */
export type Probe = 'answers' | 'nobody' | 'silent'

export type ReachPlan =
  | { kind: 'ask the gateway'; socket: string }
  | { kind: 'read beside the owner'; note: string }
  | { kind: 'read alone' }
  | { kind: 'open the store' }
  | { kind: 'refuse'; because: string; pid: number }

/** A healthy gateway answers within milliseconds; one that swaps or garbage-collects gets a second chance. */
export const probeLimitMs = 3_000

/**
 * How a command gets at the data. Reading never needs the store's lock, so it works beside any owner. Whether the owner is alive is
 * not decided here: opening the store tries its lock, and two writers are never open at once.
 */
export function planReach(need: Need, owner: OwnerFacts | null, probe: Probe): ReachPlan {
  if (probe === 'answers' && owner?.socket != null) return { kind: 'ask the gateway', socket: owner.socket }
  if (probe === 'silent' && owner !== null) {
    const because = `${nameOf(owner)} did not answer within ${formatDuration(probeLimitMs)}`
    if (need === 'write') return { kind: 'refuse', because, pid: owner.pid }
    return { kind: 'read beside the owner', note: `${because}; this is read from its files, without it.` }
  }
  return need === 'read' ? { kind: 'read alone' } : { kind: 'open the store' }
}

function nameOf(owner: OwnerFacts): string {
  const at = owner.address === null ? '' : `, ${owner.address}`
  return `process ${owner.pid} (since ${moment(owner.sinceMs)}${at})`
}
