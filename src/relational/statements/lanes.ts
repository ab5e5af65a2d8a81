/** CROSS: from the sources to their turns, never from all turns that could start. */
const waiting = `
  SELECT s.source, t.position, t.queued_ms AS "queuedAtMs"
  FROM source s CROSS JOIN turn t ON t.ready = 1 AND t.not_before_ms IS NULL
    AND t.lane = s.lane AND t.source = s.source AND t.lane_order = s.first_order
  WHERE s.lane = ? AND s.first_order IS NOT NULL`

export const laneSql = {
  running: 'SELECT lane, source, count(*) AS running FROM lease WHERE holder = ? GROUP BY lane, source',
  starts: 'SELECT coalesce((SELECT starts FROM lane WHERE name = ?), 0) AS starts',
  /** Those of these lanes in which something could start. ?1 their names as a JSON array */
  stirring: `
    SELECT l.value AS lane FROM (SELECT value FROM json_each(?1)) l
    WHERE EXISTS (SELECT 1 FROM source s WHERE s.lane = l.value AND s.first_order IS NOT NULL)`,
  inTurn: `${waiting} ORDER BY s.since, s.first_order LIMIT ? + 0`,
  byAge: `${waiting} ORDER BY s.first_order LIMIT ? + 0`,

  /** The turn, if it can still start. Where others write too, it is ours until the end of the transaction. */
  hold: 'SELECT position FROM turn WHERE position = ?1 AND ready = 1',
  started: 'INSERT INTO lane (name, starts) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET starts = starts + 1',
  served: `
    UPDATE source SET since = (SELECT starts FROM lane WHERE name = ?1) WHERE lane = ?1 AND source = ?2`,
  /** ?1 lane, ?2 how many at most */
  forgetGone: `
    DELETE FROM source WHERE lane = ?1 AND source IN (
      SELECT source FROM source
      WHERE lane = ?1 AND first_order IS NULL AND until < (SELECT starts FROM lane WHERE name = ?1) LIMIT ?2 + 0)`,
}
