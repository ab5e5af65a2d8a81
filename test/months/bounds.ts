import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { kindOf, sessionKinds } from '../../src/model/keys.ts'
import type { Session } from '../../src/model/sessions.ts'
import type { Store } from '../../src/store/port.ts'
import type { Known } from './known.ts'
import { dayMs, hourMs, policy } from './policy.ts'
import type { Shelf } from './shelf.ts'

/** A sweep sleeps at most this long after it was due: a stride of the world. */
const strideMaxMs = 4 * hourMs

/**
 * Bounds of the policy that do not hold, one line each. `sweptMs`: when the last sweep went through. Just after it nothing is over
 * its limit but what is protected or recent; until the next one things may be over it by the time since.
 */
export async function brokenBounds(store: Store, shelf: Shelf, known: Known, sweptMs: number): Promise<string[]> {
  const nowMs = known.lastMs
  const problems: string[] = []
  const slackMs = nowMs - sweptMs
  const sessions = await allSessions(store)
  const isExact = known.isClosed && slackMs < 60_000 // the last it did was to sweep
  const undone = known.undoes.filter(({ atMs }) => atMs >= sweptMs).map(({ folder }) => folder)
  const back = new Set(shelf.takings.filter(({ folder }) => undone.includes(folder)).map(({ key }) => key))
  const free = sessions.filter((session) => mayGo(session, known, sweptMs) && !back.has(session.key))
  for (const kind of sessionKinds) {
    const { idleMaxMs, ageMaxMs, sessionsMax, entriesMax, bytesMax } = policy.kinds[kind]
    const here = free.filter((session) => session.kind === kind)
    for (const { key, activeAtMs, createdAtMs } of here) {
      if (idleMaxMs !== null && nowMs - activeAtMs > idleMaxMs + slackMs) problems.push(`${key} is idle for too long`)
      if (ageMaxMs !== null && nowMs - createdAtMs > ageMaxMs + slackMs) problems.push(`${key} is too old`)
    }
    if (!isExact || here.length === 0) continue
    const { kinds } = await store.readRetention({ limit: 1, activeBeforeMs: 0 })
    const totals = kinds.find((each) => each.kind === kind)
    if (sessionsMax !== null && (totals?.sessions ?? 0) > sessionsMax) problems.push(`${totals?.sessions} ${kind}s`)
    if (entriesMax !== null && (totals?.entries ?? 0) > entriesMax)
      problems.push(`${totals?.entries} entries of ${kind}`)
    if (bytesMax !== null && (totals?.bytes ?? 0) > bytesMax) problems.push(`${totals?.bytes} bytes of ${kind}`)
  }
  const { earlier } = await store.readRetention({ limit: 500, activeBeforeMs: 0 })
  for (const { key, kind, endedAtMs } of earlier) {
    const { earlierMaxMs } = policy.kinds[kind]
    const over = earlierMaxMs !== null && nowMs - endedAtMs > earlierMaxMs + slackMs
    if (over && free.some((session) => session.key === key)) problems.push(`an earlier transcript of ${key} is too old`)
  }
  problems.push(...brokenShelves(shelf, nowMs, slackMs))
  const { bytes } = await store.statistics()
  const files = shelf.full.reduce((sum, { state }) => sum + bytesOf(state.bundles.values()), 0)
  const usedBytes = bytes.database - bytes.free + files
  const { budgetBytes, highShare } = policy.disk
  const isOver = budgetBytes !== null && usedBytes > budgetBytes * highShare
  if (isExact && isOver && free.length > 0) problems.push(`${usedBytes} bytes are used`)
  return problems
}

const bytesOf = (bundles: Iterable<{ bytes: number }>): number =>
  [...bundles].reduce((sum, { bytes }) => sum + bytes, 0)

function brokenShelves(shelf: Shelf, nowMs: number, slackMs: number): string[] {
  const problems: string[] = []
  const { ageMaxMs, bytesMax } = policy.archives
  const archives = shelf.full.filter(({ name }) => name.place === 'archives')
  for (const { name, state } of shelf.full) {
    if (state.expiresAtMs !== null && state.expiresAtMs + slackMs < nowMs) problems.push(`${name.folder} has expired`)
    const isArchive = name.place === 'archives' && ageMaxMs !== null
    if (isArchive && nowMs - state.sinceMs > ageMaxMs + slackMs) problems.push(`${name.folder} is too old`)
  }
  const bytes = archives.reduce((sum, { state }) => sum + bytesOf(state.bundles.values()), 0)
  const newest = archives.filter(({ state }) => nowMs - state.sinceMs <= slackMs + 60_000)
  const fresh = newest.reduce((sum, { state }) => sum + bytesOf(state.bundles.values()), 0)
  if (bytesMax !== null && bytes - fresh > bytesMax) problems.push(`the archives have ${bytes} bytes`)
  const there = shelf.folders.filter(({ isThere }) => isThere)
  for (const { lines, name } of there) {
    const lastMs = lines.at(-1)?.atMs ?? 0
    const isEmpty = !shelf.full.some((each) => each.name.folder === name.folder)
    if (isEmpty && nowMs - lastMs > Math.max(policy.trashMaxMs, dayMs) + slackMs)
      problems.push(`the manifest of ${name.folder} is empty, and kept`)
  }
  return problems
}

/** A reply that its channel refuses is offered five times, each in another stride of the world, and protects its session so long. */
const unsentMaxMs = 16 * hourMs

/** By what the store and the journal say of it, and nothing has stood in the way since before the last sweep. */
function mayGo({ key, pinned, running, queuedTurns, activeAtMs }: Session, known: Known, sweptMs: number): boolean {
  const waits = [...known.open.values()].some((turn) => turn.key === key)
  const isUsed = activeAtMs > sweptMs - policy.recentMs || activeAtMs > known.lastMs - unsentMaxMs
  return !pinned && !running && queuedTurns === 0 && !waits && !isUsed
}

export async function allSessions(store: Store): Promise<Session[]> {
  const sessions: Session[] = []
  let after: string | undefined
  do {
    const page = await store.listSessions({ limit: 500, ...(after === undefined ? {} : { after }) })
    sessions.push(...page.items)
    after = page.next ?? undefined
  } while (after !== undefined)
  return sessions
}

/** Pinned sessions, those of the kinds that nothing is said of, and recent ones: whoever is not there, one line each. */
export async function missingSessions(store: Store, shelf: Shelf, known: Known): Promise<string[]> {
  const there = new Set((await allSessions(store)).map(({ key }) => key))
  const forBudget = new Set(
    shelf.takings.filter(({ because }) => because.includes('on the disk')).map(({ key }) => key),
  )
  return [...known.sessions]
    .filter(([key, { activeMs }]) => {
      const lastMs = activeMs.length === 0 ? null : Math.max(...activeMs)
      if (lastMs === null || there.has(key)) return false
      const isRecent = known.lastMs - lastMs < policy.recentMs
      const isKept = ['main', 'cron'].includes(kindOf(key)) && !forBudget.has(key)
      return isRecent || isKept || known.session(key).isPinned(known.lastMs + 1)
    })
    .map(([key]) => `${key} is not there`)
}

/** Rows and files that help, and are no conversation: each has a bound. Read when nobody has the store open. */
export function brokenHelpers(directory: string, known: Known): string[] {
  const database = join(directory, 'holdfast.sqlite')
  using db = new DatabaseSync(database, { readOnly: true })
  const count = (sql: string) => Number(Object.values(db.prepare(`SELECT count(*) FROM ${sql}`).get() ?? {})[0])
  const turns = count('turn')
  const bounds: [string, number][] = [
    ['start', 100],
    ['job', 3],
    ['job_run', 3_000],
    ['counter', 7],
    ['lane', 5],
    ['source', 100],
    ['holder', 100],
    ['lease', known.open.size + 1],
    ['withheld', known.isClosed ? 0 : 500],
    ['inbound', turns],
    ['delivery', turns],
    [
      'blob b WHERE NOT EXISTS (SELECT 1 FROM entry WHERE blob = b.id) AND NOT EXISTS (SELECT 1 FROM inbound WHERE blob = b.id)',
      turns,
    ],
    ["turn WHERE status IN ('queued', 'running', 'interrupted')", known.open.size + 10],
  ]
  const problems = bounds.flatMap(([sql, most]) => {
    const rows = count(sql)
    return rows > most ? [`${rows} rows of ${sql}, there may be ${most}`] : []
  })
  const logBytes = statSync(`${database}-wal`, { throwIfNoEntry: false })?.size ?? 0
  if (logBytes > 64 * 1024 ** 2) problems.push(`the log has ${logBytes} bytes`)
  return problems
}

/** Sweeps of one process are never further apart than their interval and a stride. */
export function lateSweeps(starts: readonly number[], known: Known): string[] {
  const { suspect } = known
  return known.swept.flatMap(({ atMs }, at) => {
    const before = known.swept[at - 1]?.atMs
    const isInOne = before !== undefined && !starts.some((startMs) => startMs > before && startMs <= atMs)
    const isExcused = suspect !== null && atMs > suspect.fromMs && (before ?? 0) < suspect.toMs
    const isLate = isInOne && atMs - before > policy.everyMs + strideMaxMs
    return isLate && !isExcused ? [`no sweep from ${before} to ${atMs}`] : []
  })
}
