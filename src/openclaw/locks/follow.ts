import type { JudgedLock } from './verdict.ts'

/** What has happened to a lock between two looks. `judged`: its verdict is another one, or it is overdue now. */
export interface LockChange<Lock extends JudgedLock = JudgedLock> {
  kind: 'held' | 'released' | 'lingers' | 'judged'
  lock: Lock
}

/** A lock that is held for longer is told of again; past its limit to the millisecond too, so one that is overdue is told of as that. Unit: ms. */
const lingersAfterMs = [10_000, 60_000, 300_000, 900_000, 3_600_000, 86_400_000] as const

/** One file under one name: a lock that is taken anew is another one. */
function lockIdentity({ path, identity }: JudgedLock): string {
  return `${path} ${identity.dev}:${identity.ino}:${identity.mtimeNs}`
}

/** Compares two looks. Those that came and went in between are not seen. */
export function changesOf<Lock extends JudgedLock>(before: readonly Lock[], now: readonly Lock[]): LockChange<Lock>[] {
  const known = new Map(before.map((lock) => [lockIdentity(lock), lock]))
  const there = new Set(now.map(lockIdentity))
  const gone = before.filter((lock) => !there.has(lockIdentity(lock)))
  const changes: LockChange<Lock>[] = gone.map((lock) => ({ kind: 'released', lock }))
  for (const lock of now) {
    const was = known.get(lockIdentity(lock))
    if (was === undefined) changes.push({ kind: 'held', lock })
    else if (was.verdict !== lock.verdict || was.overdue !== lock.overdue) changes.push({ kind: 'judged', lock })
    else if (lingersAfterMs.some((ms) => was.ageMs <= ms && lock.ageMs > ms)) changes.push({ kind: 'lingers', lock })
  }
  return changes
}
