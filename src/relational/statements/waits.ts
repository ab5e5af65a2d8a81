const columns = `
  t.id AS "turnId", t.position, s.key AS "sessionKey", t.lane, t.source, t.status, t.ready AS first, l.holder AS "heldBy"`
const from = `
  FROM turn t JOIN session s ON s.id = t.session LEFT JOIN lease l ON l.session = t.session`

export const waitSql = {
  /** ?1 lane, ?2 and ?3 the place before, ?4 began by, ?5 limit. In the order of the index turn_lane. */
  queued: `
    SELECT ${columns}, t.queued_ms AS "sinceMs" ${from}
    WHERE t.settled_ms IS NULL AND t.lane = ?1 AND t.status = 'queued' AND t.queued_ms BETWEEN ?2 AND ?4
      AND (t.queued_ms > ?2 OR t.position > ?3)
    ORDER BY t.queued_ms, t.position LIMIT ?5 + 0`,
  /** The same; only those that a start has not got to yet are interrupted. */
  interrupted: `
    SELECT ${columns}, t.interrupted_ms AS "sinceMs" ${from}
    WHERE t.settled_ms IS NULL AND t.lane = ?1 AND t.status = 'interrupted' AND t.interrupted_ms BETWEEN ?2 AND ?4
      AND (t.interrupted_ms > ?2 OR t.position > ?3)
    ORDER BY t.interrupted_ms, t.position LIMIT ?5 + 0`,
  /** ?1 lane, ?2 among so many of the oldest, ?3 limit */
  sources: `
    SELECT source, count(*) AS waiting FROM (
      SELECT source FROM turn WHERE settled_ms IS NULL AND lane = ?1 AND status = 'queued' ORDER BY queued_ms LIMIT ?2 + 0) oldest
    GROUP BY source ORDER BY waiting DESC, source LIMIT ?3 + 0`,
  running: `
    SELECT t.id AS "turnId", s.key AS "sessionKey", t.lane, t.source, h.id AS "holderId", h.pid, h.host, l.taken_ms AS "takenAtMs",
      l.progress_ms AS "progressAtMs", l.progress_note AS "progressNote"
    FROM lease l JOIN session s ON s.id = l.session JOIN turn t ON t.position = l.turn JOIN holder h ON h.id = l.holder
    ORDER BY l.taken_ms, l.turn LIMIT ? + 0`,
  /** Of a session that may have a few hundred waiting turns. */
  ofSession: `
    SELECT count(*) AS waiting, min(queued_ms) AS "oldestAtMs" FROM turn
    WHERE settled_ms IS NULL AND session = ? AND status = 'queued'`,
  nextOfSession: `
    SELECT lane, queued_ms AS "queuedMs", position FROM turn
    WHERE settled_ms IS NULL AND session = ? AND status = 'queued' ORDER BY place LIMIT 1`,
  /** ?1 lane, ?2 and ?3 the place: from an index alone */
  before: `
    SELECT count(*) AS count FROM turn
    WHERE settled_ms IS NULL AND lane = ?1 AND status = 'queued' AND queued_ms <= ?2
      AND (queued_ms < ?2 OR position < ?3)`,
}
