/** CROSS: from the sources to their turns, never from all turns that could start. ?1 lane, ?2 sources to pass over, as a JSON array */
const waiting = `
  SELECT s.source, t.position, t.queued_ms AS "queuedAtMs"
  FROM source s CROSS JOIN turn t ON t.ready = 1 AND t.not_before_ms IS NULL
    AND t.lane = s.lane AND t.source = s.source AND t.lane_order = s.first_order
  WHERE s.lane = ?1 AND s.first_order IS NOT NULL AND s.source NOT IN (SELECT value FROM json_each(?2))`

export const laneSql = {
  running: 'SELECT lane, source, count(*) AS running FROM lease WHERE holder = ? GROUP BY lane, source',
  starts: 'SELECT coalesce((SELECT starts FROM lane WHERE name = ?), 0) AS starts',
  /** Those of these lanes in which something could start. ?1 their names as a JSON array */
  stirring: `
    SELECT l.value AS lane FROM (SELECT value FROM json_each(?1)) l
    WHERE EXISTS (SELECT 1 FROM source s WHERE s.lane = l.value AND s.first_order IS NOT NULL)`,
  inTurn: `${waiting} ORDER BY s.since, s.first_order LIMIT 1`,
  byAge: `${waiting} ORDER BY s.first_order LIMIT 1`,
  /** Whether a source waits that need not be passed over. ?1 lane, ?2 these */
  waits: `
    SELECT 1 FROM source s
    WHERE s.lane = ?1 AND s.first_order IS NOT NULL AND s.source NOT IN (SELECT value FROM json_each(?2)) LIMIT 1`,

  started: 'INSERT INTO lane (name, starts) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET starts = starts + 1',
  served: `
    UPDATE source SET since = (SELECT starts FROM lane WHERE name = ?1) WHERE lane = ?1 AND source = ?2`,
  /** ?1 lane, ?2 how many at most */
  forgetGone: `
    DELETE FROM source WHERE lane = ?1 AND source IN (
      SELECT source FROM source
      WHERE lane = ?1 AND first_order IS NULL AND until < (SELECT starts FROM lane WHERE name = ?1) LIMIT ?2 + 0)`,
}
