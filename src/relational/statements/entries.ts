import { nextOf } from './ids.ts'

const columns = `
  e.n, e.seq, e.id, e.parent_id AS "parentId", t.id AS "turnId", e.attempt, e.kind, e.body, b.body AS packed, e.tokens,
  e.at_ms AS "atMs", e.bytes`
const from = 'FROM entry e LEFT JOIN turn t ON t.position = e.turn LEFT JOIN blob b ON b.id = e.blob'

/** Hidden ranges do not overlap, so only the last that begins at or before an entry can hold it. */
const isShown = `
  (e.kind <> 'event' AND e.seq > coalesce((
    SELECT h.to_seq FROM hidden h
    WHERE h.transcript = e.transcript AND h.from_seq <= e.seq ORDER BY h.from_seq DESC LIMIT 1), 0))`

export const entrySql = {
  add: `
    INSERT INTO entry (n, transcript, seq, id, parent_id, turn, attempt, kind, body, blob, bytes, tokens, shown_count,
      shown_tokens, at_ms)
    VALUES (${nextOf('entry')}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  idsBetween: 'SELECT id FROM entry WHERE transcript = ? AND seq BETWEEN ? AND ? ORDER BY seq',

  /** ?1 transcript row, ?2 after, ?3 kinds as a JSON array or null, ?4 limit, ?5 shown only */
  oldestAfter: `
    SELECT ${columns} ${from}
    WHERE e.transcript = ?1 AND e.seq > ?2 AND (CAST(?3 AS TEXT) IS NULL OR e.kind IN (SELECT value FROM json_each(?3)))
      AND (?5 = 0 OR ${isShown})
    ORDER BY e.seq LIMIT ?4 + 0`,
  newestBefore: `
    SELECT ${columns} ${from}
    WHERE e.transcript = ?1 AND e.seq < ?2 AND (CAST(?3 AS TEXT) IS NULL OR e.kind IN (SELECT value FROM json_each(?3)))
      AND (?5 = 0 OR ${isShown})
    ORDER BY e.seq DESC LIMIT ?4 + 0`,
  between: `SELECT ${columns} ${from} WHERE e.transcript = ? AND e.seq BETWEEN ? AND ? ORDER BY e.seq`,
  /** ?1 transcript row, ?2 after this seq, ?3 before this one, ?4 how many */
  backFromHead: `
    SELECT ${columns}, e.shown_count AS "shownCount", e.shown_tokens AS "shownTokens" ${from}
    WHERE e.transcript = ?1 AND e.seq > ?2 AND e.seq < ?3 AND e.kind <> 'event' ORDER BY e.seq DESC LIMIT ?4 + 0`,

  /** Newest first over the whole store; `+` keeps the order by n, which needs no sorting. ?1 before n, ?2 how many, or session and how many */
  searchAll: `
    SELECT ${columns}, s.key AS "sessionKey", tr.number AS transcript ${from}
      JOIN transcript tr ON tr.id = e.transcript JOIN session s ON s.id = tr.session
    WHERE e.n < ?1 AND tr.number > 0 ORDER BY e.n DESC LIMIT ?2 + 0`,
  searchSession: `
    SELECT ${columns}, s.key AS "sessionKey", tr.number AS transcript ${from}
      JOIN transcript tr ON tr.id = e.transcript JOIN session s ON s.id = tr.session
    WHERE e.n < ?1 AND e.transcript IN (SELECT id FROM transcript WHERE session = ?2 AND number > 0)
    ORDER BY e.n DESC LIMIT ?3 + 0`,

  /** What the model is shown up to a seq, hidden ranges not yet taken off. */
  shownUpTo: 'SELECT shown_count AS count, shown_tokens AS tokens FROM entry WHERE transcript = ? AND seq = ?',
  hiddenAfter: `
    SELECT from_seq AS "fromSeq", to_seq AS "toSeq", count, tokens FROM hidden
    WHERE transcript = ?1 AND to_seq > ?2 ORDER BY from_seq`,
  hide: `
    INSERT INTO hidden (transcript, from_seq, to_seq, count, tokens) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`,
}
