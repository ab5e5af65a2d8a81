import { laneSql } from '../../relational/statements/lanes.ts'
import type { Words } from './own.ts'

const waiting = `
  SELECT s.source, t.position, t.queued_ms AS "queuedAtMs"
  FROM source s JOIN turn t ON t.ready = 1 AND t.not_before_ms IS NULL
    AND t.lane = s.lane AND t.source = s.source AND t.lane_order = s.first_order
  WHERE s.lane = ?1 AND s.first_order IS NOT NULL`

export const laneWords: Words = [
  [laneSql.starts, 'SELECT starts_of(?1) AS starts'],
  [laneSql.inTurn, `${waiting} ORDER BY s.since, s.first_order LIMIT ?2 + 0`],
  [laneSql.byAge, `${waiting} ORDER BY s.first_order LIMIT ?2 + 0`],
  // whoever comes second goes on to another turn, or looks again: nobody waits for a session with a source in hand
  [
    laneSql.hold,
    `SELECT t.position FROM turn t JOIN session s ON s.id = t.session
     WHERE t.position = ?1 AND t.ready = 1 AND s.running = 0 FOR UPDATE OF t, s SKIP LOCKED`,
  ],
  [laneSql.started, "SELECT nextval(CAST('starts_' || CAST(?1 AS TEXT) AS REGCLASS))"],
  [laneSql.served, 'UPDATE source SET since = starts_of(?1) WHERE lane = ?1 AND source = ?2'],
  [
    laneSql.forgetGone,
    `DELETE FROM source WHERE lane = ?1 AND source IN (
       SELECT source FROM source WHERE lane = ?1 AND first_order IS NULL AND until < starts_of(?1)
       LIMIT ?2 + 0 FOR UPDATE SKIP LOCKED)`,
  ],
]
