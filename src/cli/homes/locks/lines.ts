import { formatDuration } from '../../../model/units.ts'
import { shellWord } from '../../../openclaw/doctor/finding.ts'
import type { NamedLock } from '../../../openclaw/survey/locks.ts'
import { visibleLine } from '../../print/visible.ts'
import { moment } from '../../print/words.ts'

/** What programs are told of a lock. Documented: fields are added, never taken away. */
export function lockJson(lock: NamedLock): object {
  const { path, agent, key, pid, ageMs, verdict, proof, operation, overdue, holder } = lock
  return { path, agent, key, pid, ageMs, verdict, proof, operation, overdue, holder }
}

/** The session where it is known, else the file. */
export function subjectOf({ key, path }: NamedLock): string {
  return visibleLine(key ?? path.slice(path.lastIndexOf('/') + 1))
}

export function verdictOf({ verdict, overdue }: NamedLock): string {
  return overdue ? `${verdict}, overdue` : verdict
}

/** Those first that keep messages waiting now, then the oldest. */
export function inOrder(locks: readonly NamedLock[]): NamedLock[] {
  const order = ['live', 'unknown', 'dead', 'recycled', 'malformed']
  const rank = (lock: NamedLock) => (lock.overdue ? -1 : order.indexOf(lock.verdict))
  return [...locks].sort((a, b) => rank(a) - rank(b) || b.ageMs - a.ageMs || (a.path < b.path ? -1 : 1))
}

const states: Partial<Record<string, string>> = {
  R: 'runs',
  S: 'waits for something to do',
  D: 'waits for a disk, and cannot be interrupted',
  T: 'was stopped (SIGSTOP)',
  t: 'was stopped by a debugger',
}

/** All that is known of a lock that is held for too long, and what can be done. */
export function overdueRows(lock: NamedLock, home: string): [string, string][] {
  const { holder, payload, path, ageMs, operation } = lock
  const limitMs = 'pid' in payload ? payload.maxHoldMs : null
  const limit = limitMs === null ? '' : `; it asked for ${formatDuration(limitMs)}`
  const rows: [string, string][] = [
    ['file', path],
    ['held', `for ${formatDuration(ageMs)}${limit}`],
  ]
  if (holder !== null) {
    const { pid, command, sinceMs, container, state, cpuShare, hasItOpen } = holder
    const where = container === null ? '' : ` in container ${container}`
    const since = sinceMs === null ? '' : `, since ${moment(sinceMs)}`
    const busy = cpuShare === null ? '' : `, ${Math.round(cpuShare * 100)} % of a processor`
    rows.push(['holder', `process ${pid}${where}${since}: ${command}`])
    rows.push(['state', `${states[state] ?? state}${busy}`])
    if (hasItOpen === false)
      rows.push(['file', 'it does not have the lock file open: it has let go of it and left it behind'])
  }
  rows.push(['doing', operation ?? 'cannot be told'])
  rows.push(['remedy', remedyOf(lock, home)])
  return rows
}

function remedyOf({ operation }: NamedLock, home: string): string {
  const wait = operation === 'compaction' ? 'A compaction ends by itself at its time limit. ' : ''
  return `${wait}Its holder lives, so it is never taken from it. When nothing moves: holdfast rescue --home ${shellWord(home)}`
}

export interface Alike<Item> {
  first: Item
  /** So many others are the same but for their file. */
  more: number
}

/** What differs by its file only is one line after the first three. */
export function alike<Item>(items: readonly Item[], kindOf: (item: Item) => string, shownMax = 3): Alike<Item>[] {
  const groups = Map.groupBy(items, kindOf)
  return [...groups.values()].flatMap((group) => {
    const shown = group.length <= shownMax + 1 ? group : group.slice(0, shownMax)
    return shown.map((first, at) => ({ first, more: at === shown.length - 1 ? group.length - shown.length : 0 }))
  })
}

/** ` and 178 more`; nothing where there are none. */
export function moreOf({ more }: Alike<unknown>): string {
  return more === 0 ? '' : ` and ${more} more`
}

export function kindOfLock({ verdict, overdue, pid, proof }: NamedLock): string {
  return `${verdict} ${overdue} ${pid} ${proof}`
}
