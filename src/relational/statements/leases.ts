const holderColumns = `
  h.id AS "holderId", h.host, h.boot_id AS "bootId", h.pid_namespace AS "pidNamespace", h.pid, h.start_ticks AS "startTicks",
  h.since_ms AS "sinceMs"`

export const leaseSql = {
  /** The session with its lease, for a write by the one who runs it. */
  ofSession: `
    SELECT s.id, s.key, s.transcript, s.transcript_id AS "transcriptId", s.head, s.head_id AS "headId", s.fence,
      s.shown_count AS "shownCount", s.shown_tokens AS "shownTokens", l.fence AS "leaseFence", l.turn, l.operation,
      l.progress_ms AS "progressMs", t.id AS "turnId", t.attempts, t.asked_from AS "askedFrom", t.asked_to AS "askedTo",
      t.attempt_from AS "attemptFrom"
    FROM session s LEFT JOIN lease l ON l.session = s.id LEFT JOIN turn t ON t.position = l.turn
    WHERE s.key = ?`,
  ofHolders: `
    SELECT s.key FROM lease l JOIN session s ON s.id = l.session
    WHERE l.holder IN (SELECT value FROM json_each(?)) ORDER BY l.turn DESC LIMIT ? + 0`,
  /** Of holders that have lapsed, where holders lapse: here none does. ?1 whose are left alone, ?2 how many */
  ofLapsed: 'SELECT s.key FROM session s WHERE s.key = ?1 AND s.id < 0 LIMIT ?2 + 0',
  add: `
    INSERT INTO lease (session, turn, fence, operation, lane, source, holder, claim, taken_ms, progress_ms)
    VALUES (?1, ?2, ?3, 'turn', ?4, ?5, ?6, ?7, ?8, ?8)`,
  end: 'DELETE FROM lease WHERE session = ?',
  progress: `
    UPDATE lease SET progress_ms = ?3, progress_note = ?4
    WHERE session = (SELECT id FROM session WHERE key = ?1) AND fence = ?2`,
  addHolder: `
    INSERT INTO holder (id, host, boot_id, pid_namespace, pid, start_ticks, since_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`,
  list: `
    SELECT s.key AS "sessionKey", t.id AS "turnId", l.fence, l.operation, l.taken_ms AS "takenAtMs",
      l.progress_ms AS "progressAtMs", l.progress_note AS "progressNote", ${holderColumns}
    FROM lease l JOIN session s ON s.id = l.session JOIN turn t ON t.position = l.turn JOIN holder h ON h.id = l.holder
    ORDER BY l.taken_ms, l.turn`,
}
