import { invariants } from '../../relational/statements/invariants.ts'
import type { Words } from './own.ts'

/** Rows that name a row of another table which is not there. Nothing in the schema forbids it, so it is looked for. */
const missing = [
  ['transcript', 'session', 'session', 'id'],
  ['entry', 'transcript', 'transcript', 'id'],
  ['entry', 'blob', 'blob', 'id'],
  ['hidden', 'transcript', 'transcript', 'id'],
  ['turn', 'session', 'session', 'id'],
  ['turn', 'instructions_blob', 'blob', 'id'],
  ['turn', 'params_blob', 'blob', 'id'],
  ['inbound', 'turn', 'turn', 'position'],
  ['inbound', 'session', 'session', 'id'],
  ['inbound', 'blob', 'blob', 'id'],
  ['lease', 'session', 'session', 'id'],
  ['lease', 'turn', 'turn', 'position'],
  ['lease', 'holder', 'holder', 'id'],
  ['summary', 'session', 'session', 'id'],
  ['summary', 'base_id', 'summary', 'id'],
  ['delivery', 'turn', 'turn', 'position'],
  ['withheld', 'transcript', 'transcript', 'id'],
  ['withheld', 'session', 'session', 'id'],
  ['job_run', 'job', 'job', 'id'],
]
  .map(
    ([table, column, parent, key]) => `
      SELECT '${table} refers to a missing ${parent} ' || c.${column} AS problem FROM ${table} c
      WHERE c.${column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ${parent} p WHERE p.${key} = c.${column})`,
  )
  .join(' UNION ALL ')

/** What SQLite says in words of its own, by the name of the invariant. */
const own: Record<string, string> = {
  'no source was served after the last start of its lane': `
    SELECT 'lane ' || s.lane || ' has a source served at start ' || greatest(s.since, s.until) AS problem
    FROM source s WHERE greatest(s.since, s.until) > starts_of(s.lane)`,
  'what is referred to exists': missing,
  'the next number of every table is known': `
    SELECT 'the sequence of ' || n.name || ' is behind its table' AS problem FROM (
      SELECT 'session' AS name, (SELECT max(id) FROM session) AS newest, (SELECT last_value FROM session_number) AS given
      UNION ALL SELECT 'transcript', (SELECT max(id) FROM transcript), (SELECT last_value FROM transcript_number)
      UNION ALL SELECT 'entry', (SELECT max(n) FROM entry), (SELECT last_value FROM entry_number)
      UNION ALL SELECT 'turn', (SELECT max(position) FROM turn), (SELECT last_value FROM turn_number)
      UNION ALL SELECT 'inbound', (SELECT max(id) FROM inbound), (SELECT last_value FROM inbound_number)
      UNION ALL SELECT 'delivery', (SELECT max(id) FROM delivery), (SELECT last_value FROM delivery_number)
      UNION ALL SELECT 'summary', (SELECT max(id) FROM summary), (SELECT last_value FROM summary_number)) n
    WHERE n.newest > n.given`,
  'an entry has one body, and it is JSON': `
    SELECT 'entry ' || id || ' has no readable body' AS problem FROM entry
    WHERE (body IS NULL) = (blob IS NULL) OR (body IS NOT NULL AND NOT (body IS JSON))`,
}

/** Comparisons are no numbers here, and a subquery has a name. */
const inOwnWords = (sql: string): string =>
  sql
    .replaceAll(/<> (EXISTS \((?:[^()]|\([^()]*\))*\))/g, '<> CASE WHEN $1 THEN 1 ELSE 0 END')
    .replace('(tr.number < 0) <> CASE WHEN', 'CASE WHEN tr.number < 0 THEN 1 ELSE 0 END <> CASE WHEN')
    .replaceAll(/\b(\w+\.)?(\w+) IS NOT (e\.id|before)\b/g, '$1$2 IS DISTINCT FROM $3')
    .replaceAll('json_array_length(i.tokens)', 'jsonb_array_length(CAST(i.tokens AS JSONB))')
    .replaceAll("sum(kind <> 'event')", "sum(CASE WHEN kind <> 'event' THEN 1 ELSE 0 END)")
    .replaceAll("iif(kind <> 'event', tokens, 0)", "CASE WHEN kind <> 'event' THEN tokens ELSE 0 END")
    .replaceAll(/(\(SELECT \* FROM entry WHERE transcript NOT IN \(SELECT transcript FROM withheld\)\))/g, '$1 seen')

export const invariantWords: Words = invariants.map(({ name, sql }) => [sql, own[name] ?? inOwnWords(sql)])
