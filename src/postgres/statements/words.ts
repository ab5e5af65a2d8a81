import { createHash } from 'node:crypto'
import { nextOf } from '../../relational/statements/ids.ts'
import type { Text } from '../database/connection.ts'
import { archiveWords } from './archives.ts'
import { deliveryWords } from './deliveries.ts'
import { entryWords } from './entries.ts'
import { invariantWords } from './invariants.ts'
import { jobWords } from './jobs.ts'
import { laneWords } from './lanes.ts'
import { leaseWords } from './leases.ts'
import { recordWords } from './records.ts'
import { recoveryWords } from './recovery.ts'
import { sessionWords } from './sessions.ts'
import { turnWords } from './turns.ts'
import { upkeepWords } from './upkeep.ts'

const own = new Map<string, string | readonly string[]>(
  [
    ...[archiveWords, deliveryWords, entryWords, invariantWords, jobWords, laneWords, leaseWords, recordWords],
    ...[recoveryWords, sessionWords, turnWords, upkeepWords],
  ].flat(),
)

const known = new Map<string, readonly Text[]>()

/** What PostgreSQL is told for a shared statement. Texts are as many as the program has, so all of them are remembered. */
export function wordsOf(sql: string): readonly Text[] {
  let words = known.get(sql)
  if (words === undefined) {
    words = [own.get(sql) ?? sql].flat().map(translate).map(named)
    known.set(sql, words)
  }
  return words
}

/** Not those whose best plan depends on which of their values are given. Another text has another name, over all versions. */
function named(text: string): Text {
  if (/IS NULL OR|^\s*(SAVEPOINT|RELEASE|ROLLBACK)/.test(text)) return { text }
  return { text, name: `holdfast_${createHash('sha256').update(text).digest('base64url').slice(0, 20)}` }
}

const numbered = ['session', 'transcript', 'entry', 'turn', 'inbound', 'delivery', 'summary'] as const

/** Numbers come from sequences; places for values are `$1`; a list comes as JSON. */
function translate(sql: string): string {
  let text = sql
  for (const table of numbered) text = text.replaceAll(nextOf(table), nextNumber(table))
  text = text.replaceAll(/SELECT value FROM json_each\((\?\d*)\)/g, listOf('$1'))
  let places = 0
  return text.replaceAll(/\?(\d*)/g, (_, number: string) => {
    if (number !== '') return `$${number}`
    places += 1
    return `$${places}`
  })
}

const nextNumber = (table: (typeof numbered)[number]): string => `nextval('${table}_number')`

/** The values of a JSON array of texts, given as one value. */
const listOf = (place: string): string =>
  `SELECT value FROM jsonb_array_elements_text(CAST(${place} AS JSONB)) AS each(value)`
