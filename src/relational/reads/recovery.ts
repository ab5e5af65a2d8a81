import type { Delivery } from '../../model/holders.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { SessionProblem, Start } from '../../model/starts.ts'
import type { Turn } from '../../model/turns.ts'
import type { Page } from '../../store/page.ts'
import { bodyText } from '../rows/bodies.ts'
import { cursorOf, parseCursor } from '../rows/cursor.ts'
import { type DeliveryRow, deliveryOf, type TurnRow, turnOf } from '../rows/rows.ts'
import { contextTokensOf } from '../rows/shown.ts'
import { deliverySql } from '../statements/deliveries.ts'
import { inspectSql, startSql } from '../statements/recovery.ts'
import { turnSql } from '../statements/turns.ts'
import { all, type Steps } from '../steps.ts'
import { findSession, pageMax } from './sessions.ts'

export function* listStarts(): Steps<Start[]> {
  const rows = yield* all<Omit<Start, 'unclean'> & { unclean: number }>(startSql.list)
  return rows.map((row) => ({ ...row, unclean: row.unclean === 1 }))
}

export function* listQuarantined(query: { limit: number; after?: string }): Steps<Page<Turn>> {
  const limit = Math.min(query.limit, pageMax)
  const [after] = query.after === undefined ? [Number.MAX_SAFE_INTEGER] : parseCursor('quarantine', 1, query.after)
  const rows = yield* all<TurnRow>(turnSql.quarantined, after as number, limit + 1)
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const more = rows.length > limit && last !== undefined
  return { items: items.map(turnOf), next: more ? cursorOf('quarantine', last.position) : null }
}

export function* listUnsent({ limit, key }: { limit: number; key?: SessionKey }): Steps<Delivery[]> {
  const bound = Math.min(limit, pageMax)
  const rows = (every: string, ofSession: string) =>
    key === undefined ? all<DeliveryRow>(every, bound) : all<DeliveryRow>(ofSession, key, bound)
  const underWay = yield* rows(deliverySql.underWay, deliverySql.underWayOf)
  const waiting = yield* rows(deliverySql.waiting, deliverySql.waitingOf)
  return [...underWay, ...waiting].map(deliveryOf)
}

/** What is looked at of a transcript, from its end. */
const entriesMax = 200
const bodiesMaxBytes = 4 * 1024 ** 2

interface InspectedEntry {
  seq: number
  id: string
  parentId: string | null
  kind: string
  body: string | null
  packed: Uint8Array | null
  bytes: number
  tokens: number
  shownCount: number
  shownTokens: number
}

export function* inspectSession({ key }: { key: SessionKey }): Steps<SessionProblem[]> {
  const session = yield* findSession(key)
  const found = new Set(
    (yield* all<{ problem: SessionProblem }>(inspectSql.rows, session.id)).map(({ problem }) => problem),
  )
  const newest = yield* all<InspectedEntry>(inspectSql.newest, session.transcriptId, entriesMax + 1)
  const rest = newest.length > entriesMax
  for (const [at, entry] of newest.slice(0, entriesMax).entries()) {
    const before = newest[at + 1]
    if (!follows(entry, before)) found.add('entries')
    if (!countsOn(entry, before)) found.add('shown counts')
  }
  if (!rest && newest.at(-1)?.seq !== undefined && newest.at(-1)?.seq !== 1) found.add('entries')
  if (!areReadable(newest)) found.add('entries')
  if ((yield* contextTokensOf(session)) !== session.contextTokens) found.add('context tokens')
  return [...found]
}

function follows(entry: InspectedEntry, before: InspectedEntry | undefined): boolean {
  return entry.seq === (before?.seq ?? 0) + 1 && entry.parentId === (before?.id ?? null)
}

function countsOn(entry: InspectedEntry, before: InspectedEntry | undefined): boolean {
  const shown = entry.kind !== 'event'
  const counts = entry.shownCount === (before?.shownCount ?? 0) + Number(shown)
  return counts && entry.shownTokens === (before?.shownTokens ?? 0) + (shown ? entry.tokens : 0)
}

function areReadable(entries: readonly InspectedEntry[]): boolean {
  let bytes = 0
  for (const { body, packed, bytes: size } of entries) {
    bytes += size
    if (bytes > bodiesMaxBytes) break
    if (!isReadable(body, packed)) return false
  }
  return true
}

function isReadable(body: string | null, packed: Uint8Array | null): boolean {
  if ((body === null) === (packed === null)) return false
  try {
    JSON.parse(bodyText(body, packed))
    return true
  } catch (error) {
    if (error instanceof SyntaxError || String((error as NodeJS.ErrnoException).code).startsWith('ZSTD')) return false
    throw error
  }
}
