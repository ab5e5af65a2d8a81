import type { Place, Schema } from '../schema.ts'
import { type DatabaseThread, slices } from '../thread.ts'
import { type EntryWeight, type LargeRow, largestOf, type Totals } from './slices.ts'

/** What a doctor looks at in an agent's database. Sizes are bytes. */
export interface DatabaseFacts extends Totals {
  path: string
  agentId: string
  schema: Schema
  rows: number
  /** At most ten, largest first; a packed row with what it takes on disk. */
  largestRows: LargeRow[]
  /** Heaviest first. */
  entryFields: EntryWeight[]
  /** Sessions of cron runs that were not used for longer than they are kept, and their rows; null where they are kept for ever. */
  staleCronRuns: { sessions: number; rows: number } | null
  archives: { count: number; bytes: number }
  /** Tables with their indexes, largest first; null where it was not asked for, or the database is too large for it ({@link measuredBytesMax}). */
  tables: { name: string; bytes: number }[] | null
  /** What SQLite found wrong; empty where all is whole, null where it was not asked for. */
  problems: string[] | null
}

export interface CollectOptions {
  nowMs: number
  /** How long a cron run's session is kept; null: for ever. */
  cronRunMs: number | null
  /** Sizes by table: reads every page. */
  sizes: boolean
  /** SQLite's `quick_check`: reads every page. */
  check: boolean
}

/** Measuring reads a table at a time, during which a gateway's log is not brought in to its end. */
const measuredBytesMax = 1024 ** 3

/** @throws HoldfastError HOME_UNREADABLE (`damaged` tells whether SQLite calls it so), HOME_UNSAFE, HOME_GENERATION, HOME_BUSY */
export async function collectDatabase(
  thread: DatabaseThread,
  place: Place,
  options: CollectOptions,
): Promise<DatabaseFacts> {
  const schema = await thread.ask(place, 'readSchema', null)
  const totals = await thread.ask(place, 'readTotals', { path: place.path })
  const { nowMs, cronRunMs } = options
  const beforeMs = cronRunMs === null ? null : nowMs - cronRunMs
  return {
    ...{ path: place.path, agentId: place.agentId, schema, ...totals, ...(await weighRows(thread, place)) },
    entryFields: await weighEntries(thread, place),
    staleCronRuns: beforeMs === null ? null : await thread.ask(place, 'countCronRuns', { beforeMs }),
    archives: await countArchives(thread, place),
    tables: options.sizes && totals.bytes <= measuredBytesMax ? await measure(thread, place) : null,
    problems: options.check ? await check(thread, place) : null,
  }
}

async function weighRows(thread: DatabaseThread, place: Place): Promise<{ rows: number; largestRows: LargeRow[] }> {
  let rows = 0
  let largestRows: LargeRow[] = []
  for await (const found of slices(Number.MIN_SAFE_INTEGER, (after) => thread.ask(place, 'weighRows', { after }))) {
    rows += found.rows
    largestRows = largestOf([...largestRows, ...found.largest])
  }
  return { rows, largestRows }
}

async function weighEntries(thread: DatabaseThread, place: Place): Promise<EntryWeight[]> {
  const weights = new Map<string, EntryWeight>()
  for await (const { fields } of slices('', (after) => thread.ask(place, 'weighEntries', { after }))) {
    for (const { field, entries, bytes } of fields) {
      const before = weights.get(field) ?? { field, entries: 0, bytes: 0 }
      weights.set(field, { field, entries: before.entries + entries, bytes: before.bytes + bytes })
    }
  }
  return [...weights.values()].sort((one, other) => other.bytes - one.bytes)
}

async function countArchives(thread: DatabaseThread, place: Place): Promise<{ count: number; bytes: number }> {
  const all = { count: 0, bytes: 0 }
  for await (const { items } of slices('', (after) => thread.ask(place, 'readArchives', { after }))) {
    all.count += items.length
    for (const { bytes } of items) all.bytes += bytes
  }
  return all
}

async function measure(thread: DatabaseThread, place: Place): Promise<{ name: string; bytes: number }[]> {
  const sizes: { name: string; bytes: number }[] = []
  for (const { name, parts } of await thread.ask(place, 'readTables', null)) {
    let bytes = 0
    for (const part of parts) bytes += await thread.ask(place, 'measurePart', { name: part })
    sizes.push({ name, bytes })
  }
  return sizes.sort((one, other) => other.bytes - one.bytes)
}

/** Problems beyond this are more of the same. */
const problemsMax = 20

async function check(thread: DatabaseThread, place: Place): Promise<string[]> {
  const problems: string[] = []
  for (const { name } of await thread.ask(place, 'readTables', null)) {
    if (problems.length >= problemsMax) break
    problems.push(...(await thread.ask(place, 'checkTable', { name })))
  }
  return problems.slice(0, problemsMax)
}
