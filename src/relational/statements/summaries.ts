import { nextOf } from './ids.ts'

const columns = `
  id, transcript, base_id AS "baseId", upto_seq AS "uptoSeq", kind, text, tokens, replaced_tokens AS "replacedTokens",
  at_ms AS "atMs", undone_ms AS "undoneAtMs"`

export const summarySql = {
  newest: `
    SELECT ${columns} FROM summary WHERE session = ? AND transcript = ? AND undone_ms IS NULL ORDER BY id DESC LIMIT 1`,
  byId: `SELECT ${columns} FROM summary WHERE session = ? AND id = ?`,
  list: `SELECT ${columns} FROM summary WHERE session = ? AND transcript = ? ORDER BY id DESC`,
  add: `
    INSERT INTO summary (id, session, transcript, base_id, upto_seq, kind, text, tokens, replaced_tokens, at_ms)
    VALUES (${nextOf('summary')}, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    RETURNING id`,
  undo: 'UPDATE summary SET undone_ms = ? WHERE id = ?',
}
