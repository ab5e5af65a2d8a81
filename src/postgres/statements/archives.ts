import { leaveSql, purgeSql, retentionSql } from '../../relational/statements/archives.ts'
import type { Words } from './own.ts'

const numbersOf = (place: string): string =>
  `SELECT CAST(each.value AS BIGINT) FROM jsonb_array_elements_text(CAST(${place} AS JSONB)) AS each(value)`

/** Numbers in a list, and the planner's own choice of an index. */
const ownWords = (sql: string): string =>
  sql.replaceAll('SELECT value FROM json_each(?2)', numbersOf('?2')).replaceAll(/ INDEXED BY \w+/g, '')

export const archiveWords: Words = [
  [
    leaveSql.bury,
    `INSERT INTO tombstone AS t (key_hash, fence, transcript) VALUES (?1, ?2, ?3)
     ON CONFLICT (key_hash) DO UPDATE SET
       fence = greatest(t.fence, excluded.fence), transcript = greatest(t.transcript, excluded.transcript)`,
  ],
  [
    purgeSql.abandon,
    `UPDATE withheld SET archived = NULL, counted = 0 WHERE archived IS NOT NULL AND archived NOT IN (${numbersOf('?1')})`,
  ],
  [
    purgeSql.turnsOf,
    `SELECT t.position, t.instructions_blob AS instructions, t.params_blob AS params
     FROM turn t WHERE t.position IN (${numbersOf('?1')}) AND t.session = ?2 AND t.transcript = ?3`,
  ],
  // locked first, in a statement of its own: what began to refer to it meanwhile is then seen
  [purgeSql.dropBlob, ['SELECT 1 FROM blob WHERE id = ?1 FOR UPDATE', purgeSql.dropBlob]],
  [retentionSql.idlest, ownWords(retentionSql.idlest)],
  [retentionSql.eldest, ownWords(retentionSql.eldest)],
  [retentionSql.earlier, ownWords(retentionSql.earlier)],
  [retentionSql.newest, retentionSql.newest.replace('SELECT max(', 'SELECT greatest(')],
]
