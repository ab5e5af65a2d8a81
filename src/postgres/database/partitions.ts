import type pg from 'pg'
import { quoted } from './connection.ts'
import { type Partitions, spanName, spanTable } from './schema/entries.ts'

/** Spans that are there before a transcript needs them. */
const spansAhead = 2

/**
 * Makes tables for the transcripts that come, and drops those of earlier spans that nothing is in any more, which gives their room back at
 * once. What belongs to a span that is not there goes into `entry_rest`, so neither is urgent. Null where entries are in one table.
 */
export async function extendPartitions(
  client: pg.ClientBase,
  schema: string,
): Promise<{ made: number; dropped: number } | null> {
  await client.query(`SET LOCAL search_path = ${quoted(schema)}`)
  const { rows: kept } = await client.query<{ value: string }>("SELECT value FROM meta WHERE name = 'partitions'")
  if (kept[0] === undefined) return null
  const partitions = JSON.parse(kept[0].value) as Partitions
  const { rows: last } = await client.query<{ value: string }>('SELECT last_value AS value FROM transcript_number')
  const current = Math.floor(Number(last[0]?.value ?? 0) / partitions.span)
  const there = await spansOf(client)
  let made = 0
  for (let number = current; number <= current + spansAhead; number += 1) {
    if (there.has(number) || (await isTaken(client, number, partitions))) continue
    await client.query(spanTable(number, partitions))
    made += 1
  }
  let dropped = 0
  for (const number of there) {
    if (number >= current || !(await isEmpty(client, spanName(number)))) continue
    await client.query(`DROP TABLE ${spanName(number)}`)
    dropped += 1
  }
  return { made, dropped }
}

async function spansOf(client: pg.ClientBase): Promise<Set<number>> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'entry'::regclass",
  )
  const numbers = rows.flatMap(({ name }) => (/^entry_\d+$/.test(name) ? [Number(name.slice('entry_'.length))] : []))
  return new Set(numbers)
}

/** Rows that came before their span was made stay where they are. */
async function isTaken(client: pg.ClientBase, number: number, { span }: Partitions): Promise<boolean> {
  const { rows } = await client.query('SELECT 1 FROM entry_rest WHERE transcript >= $1 AND transcript < $2 LIMIT 1', [
    number * span,
    (number + 1) * span,
  ])
  return rows.length > 0
}

async function isEmpty(client: pg.ClientBase, table: string): Promise<boolean> {
  // who writes there right now has it until the end of its transaction; then the look is right
  await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
  return (await client.query(`SELECT 1 FROM ${table} LIMIT 1`)).rows.length === 0
}
