import { formatCount, formatDuration } from '../../../model/units.ts'
import type { JudgedLock } from '../../locks/verdict.ts'
import { keyOfLock } from '../../survey/locks.ts'
import { type Finding, finding, type Seen } from '../finding.ts'

/** A gateway itself calls a lock old after this time (`session.writeLock.staleMs`). */
const oldLockMs = 30 * 60_000

const codes = ['LOCK_DEAD', 'LOCK_RECYCLED', 'LOCK_MALFORMED', 'LOCK_OVERDUE', 'LOCK_UNKNOWN', 'LOCK_HELD'] as const

export function findLocks(seen: Seen): Finding[] {
  const all = seen.facts.agents.flatMap((agent) => agent.locks.map((lock) => ({ agent, lock, code: codeOf(lock) })))
  all.sort((a, b) => b.lock.ageMs - a.lock.ageMs)
  return codes.flatMap((code) => {
    const items = all.filter((each) => each.code === code)
    const oldest = formatDuration(items[0]?.lock.ageMs ?? 0)
    return finding(seen, code, {
      evidence: `${formatCount(items.length, 'lock')}, ${items.length === 1 ? '' : 'the oldest '}for ${oldest}.`,
      items,
      example: ({ agent, lock }) => ({
        agent: agent.id,
        key: keyOfLock(lock, agent.index),
        path: lock.path,
        says: saysOf(lock),
      }),
    })
  })
}

function codeOf(lock: JudgedLock): (typeof codes)[number] {
  switch (lock.verdict) {
    case 'dead':
      return 'LOCK_DEAD'
    case 'recycled':
      return 'LOCK_RECYCLED'
    case 'malformed':
      return 'LOCK_MALFORMED'
    case 'live':
      return lock.overdue ? 'LOCK_OVERDUE' : 'LOCK_HELD'
    case 'unknown':
      return lock.overdue || lock.ageMs > oldLockMs ? 'LOCK_UNKNOWN' : 'LOCK_HELD'
  }
}

function saysOf({ pid, ageMs, operation, proof }: JudgedLock): string {
  const who = pid === null ? '' : `process ${pid}, `
  return `${who}for ${formatDuration(ageMs)}${operation === null ? '' : `, ${operation}`}: ${proof}`
}
