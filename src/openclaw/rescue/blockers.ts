import { formatDuration, formatSize } from '../../model/units.ts'
import type { HomeFacts } from '../survey/facts.ts'

/** What keeps a bot from answering, with its cure. */
export interface Blocker {
  code:
    | 'LOCK_STALE'
    | 'LOCK_WEDGED'
    | 'LOCK_UNKNOWN'
    | 'INDEX_UNREADABLE'
    | 'DISK_FULL'
    | 'GATEWAY_STOPPED'
    | 'GATEWAY_SILENT'
  /** When it began, as far as that can be told. */
  sinceMs: number | null
  says: string
  path: string | null
  /**
   * `clear`: a lock that nobody holds is taken away; `restart`: only the end of the gateway's process ends it; `mend`: the gateway is
   * stopped, the index made anew, the gateway started; `start`; `person`: nothing can be done from here.
   */
  cure: 'clear' | 'restart' | 'mend' | 'start' | 'person'
}

/** What the gateway's own `health` says; `unasked` where its command is not there. */
export type Health = { state: 'good' } | { state: 'bad'; because: string } | { state: 'unasked'; because: string }

/** Below this, gateways and SQLite fail with every write. Unit: bytes. */
const freeBytesMin = 16 * 1024 ** 2

/** The worst first: without a process nothing else matters, and a stale lock stops one session only. */
export function findBlockers({ gateway, agents, disk, nowMs }: HomeFacts, health: Health): Blocker[] {
  const blockers: Blocker[] = []
  if (gateway.state === 'stopped') {
    const says = `No gateway works on this home: ${gateway.proof}.`
    blockers.push({ code: 'GATEWAY_STOPPED', sinceMs: null, says, path: null, cure: 'start' })
  }
  if (gateway.state === 'running' && health.state === 'bad') {
    const says = `The gateway runs (process ${gateway.pid}) and does not answer well: ${health.because}.`
    blockers.push({ code: 'GATEWAY_SILENT', sinceMs: null, says, path: null, cure: 'restart' })
  }
  if ('freeBytes' in disk && disk.freeBytes < freeBytesMin) {
    const says = `Only ${formatSize(disk.freeBytes)} are free, so nothing can be written. Make room first: nothing here frees enough.`
    blockers.push({ code: 'DISK_FULL', sinceMs: null, says, path: null, cure: 'person' })
  }
  for (const { index, sessionsDir } of agents) {
    if (index.state !== 'unreadable') continue
    const says = `The index cannot be read (${index.because}); a gateway takes it for empty and forgets every session.`
    const path = `${sessionsDir}/sessions.json`
    blockers.push({ code: 'INDEX_UNREADABLE', sinceMs: null, says, path, cure: 'mend' })
  }
  for (const lock of agents.flatMap(({ locks }) => locks)) {
    const { path, verdict, ageMs, proof, overdue } = lock
    const about = { sinceMs: nowMs - ageMs, path }
    const held = formatDuration(ageMs)
    if (verdict === 'live' && overdue) {
      const does = lock.operation === null ? '' : ` by ${lock.operation}`
      blockers.push({
        ...about,
        code: 'LOCK_WEDGED',
        says: `Held for ${held}${does}, longer than it said: ${proof}.`,
        cure: 'restart',
      })
    } else if (verdict === 'unknown') {
      blockers.push({
        ...about,
        code: 'LOCK_UNKNOWN',
        says: `Held for ${held}; it cannot be told by whom: ${proof}.`,
        cure: 'person',
      })
    } else if (verdict !== 'live') {
      blockers.push({ ...about, code: 'LOCK_STALE', says: `Left for ${held} by nobody: ${proof}.`, cure: 'clear' })
    }
  }
  return blockers
}

/**
 * What is done about them: with the gateway left running, or with it stopped in between. A gateway that cannot be seen is never stopped,
 * and one that answers is not stopped for what can be cured beside it.
 */
export function planRescue({ gateway }: HomeFacts, blockers: readonly Blocker[]): { stop: boolean; start: boolean } {
  const cures = new Set(blockers.map(({ cure }) => cure))
  const stop = gateway.state === 'running' && (cures.has('restart') || cures.has('mend'))
  return { stop, start: stop || cures.has('start') }
}
