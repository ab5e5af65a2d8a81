import { nextOf } from './ids.ts'

/**
 * Columns of a session as the model names them, and those that only this adapter uses. The first message of a transcript
 * that a reset began comes after the event of that reset.
 */
const columns = `
  s.id, s.key, s.agent_id AS "agentId", s.kind, s.state, s.title, s.pinned, s.transcript, s.head, s.fence,
  s.context_tokens AS "contextTokens", s.meter_ratio AS "meterRatio", s.turns_total AS "turnsTotal",
  s.queued_turns AS "queuedTurns", s.running, s.created_ms AS "createdAtMs", s.active_ms AS "activeAtMs",
  s.archived_ms AS "archivedAtMs", s.transcript_id AS "transcriptId", s.head_id AS "headId",
  s.shown_count AS "shownCount", s.shown_tokens AS "shownTokens",
  (SELECT coalesce(
      (SELECT e.at_ms FROM entry e WHERE e.transcript = tr.id AND e.seq = CASE WHEN tr.reset_reason IS NULL THEN 1 ELSE 2 END),
      tr.started_ms)
   FROM transcript tr WHERE tr.id = s.transcript_id) AS "transcriptAtMs"`

export const sessionSql = {
  byKey: `SELECT ${columns} FROM session s WHERE s.key = ?`,
  byId: `SELECT ${columns} FROM session s WHERE s.id = ?`,

  /** ?1 state, ?2 ?3 the last row's activity and id, ?4 kind, ?5 agent, ?6 ?7 keys from and before, ?8 busy, ?9 limit */
  list: `
    SELECT ${columns} FROM session s
    WHERE s.state = ?1 AND (s.active_ms, s.id) < (?2, ?3)
      AND (CAST(?4 AS TEXT) IS NULL OR s.kind = ?4) AND (CAST(?5 AS TEXT) IS NULL OR s.agent_id = ?5)
      AND (CAST(?6 AS TEXT) IS NULL OR (s.key >= ?6 AND s.key < ?7))
      AND (CAST(?8 AS INTEGER) IS NULL OR CASE WHEN s.running + s.queued_turns > 0 THEN 1 ELSE 0 END = ?8)
    ORDER BY s.active_ms DESC, s.id DESC LIMIT ?9 + 0`,

  /** ?1 key, ?2 agent, ?3 kind, ?4 now, ?5 hash of the key */
  add: `
    INSERT INTO session (id, key, agent_id, kind, transcript_id, created_ms, active_ms, fence, transcript)
    VALUES (${nextOf('session')}, ?1, ?2, ?3, ${nextOf('transcript')}, ?4, ?4,
      coalesce((SELECT fence FROM tombstone WHERE key_hash = ?5), 0),
      coalesce((SELECT transcript FROM tombstone WHERE key_hash = ?5), 0) + 1)
    RETURNING id`,
  /** ?1 its row, or null for the next */
  addTranscript: `
    INSERT INTO transcript (id, session, number, started_ms, reset_reason)
    VALUES (coalesce(?1, ${nextOf('transcript')}), ?2, ?3, ?4, ?5)
    RETURNING id`,
  endTranscript: 'UPDATE transcript SET head = ?, ended_ms = ? WHERE id = ?',
  transcript: `
    SELECT id, number, started_ms AS "startedMs", reset_reason AS "resetReason" FROM transcript
    WHERE session = ? AND number = ?`,
  transcriptIds: 'SELECT id, number FROM transcript WHERE session = ? ORDER BY number DESC',

  patch: `
    UPDATE session SET title = CASE WHEN ?2 = 1 THEN ?3 ELSE title END, pinned = coalesce(?4, pinned) WHERE id = ?1`,
  archive: `UPDATE session SET state = 'archived', archived_ms = ? WHERE id = ?`,
  reopen: `UPDATE session SET state = 'open', archived_ms = NULL WHERE id = ?`,
  reset: `
    UPDATE session SET transcript = ?2, transcript_id = ?3, head = 0, head_id = NULL, shown_count = 0, shown_tokens = 0,
      context_tokens = 0, active_ms = ?4
    WHERE id = ?1`,

  /** The check of fence and head is in the statement that writes. ?1 id, ?2 fence, ?3 transcript row, ?4 old head */
  grow: `
    UPDATE session SET head = ?5, head_id = ?6, shown_count = ?7, shown_tokens = ?8,
      context_tokens = context_tokens + ?8 - shown_tokens, entries = entries + ?5 - head, bytes = bytes + ?9
    WHERE id = ?1 AND fence = ?2 AND transcript_id = ?3 AND head = ?4`,
  take: 'UPDATE session SET fence = fence + 1, running = 1, queued_turns = queued_turns - 1 WHERE id = ?',
  fenceOff: 'UPDATE session SET fence = fence + 1, running = 0 WHERE id = ?',
  release: 'UPDATE session SET running = 0, active_ms = ?2, meter_ratio = coalesce(?3, meter_ratio) WHERE id = ?1',
  admitted: `
    UPDATE session SET turns_total = turns_total + 1, queued_turns = queued_turns + 1, active_ms = max(active_ms, ?2),
      state = 'open', archived_ms = NULL
    WHERE id = ?1`,
  touched: 'UPDATE session SET active_ms = max(active_ms, ?2) WHERE id = ?1',
  queuedBy: 'UPDATE session SET queued_turns = queued_turns + ?2 WHERE id = ?1',
  setContextTokens: 'UPDATE session SET context_tokens = ? WHERE id = ?',
}
