import { laneSql } from '../../relational/statements/lanes.ts'
import type { Words } from './own.ts'

/** More than there are gateways: each holds two at most. The bound also has the server walk an index, and not sort all sources. */
const lookedAtMax = 64

/** What it finds is held, so it is looked at no further than that. */
const found = (order: string, which: '=' | '>='): string => `
  SELECT s.source, t.position, t.queued_ms AS "queuedAtMs"
  FROM (
    SELECT lane, source, first_order FROM source
    WHERE lane = ?1 AND first_order IS NOT NULL AND source NOT IN (SELECT value FROM json_each(?2))
    ORDER BY ${order} LIMIT ${lookedAtMax}) s
  CROSS JOIN LATERAL (
    SELECT t.position, t.queued_ms FROM turn t JOIN session h ON h.id = t.session
    WHERE t.ready = 1 AND t.not_before_ms IS NULL AND t.lane = s.lane AND t.source = s.source
      AND t.lane_order ${which} s.first_order AND h.running = 0
    ORDER BY t.lane_order LIMIT 1 FOR UPDATE OF t, h SKIP LOCKED) t
  LIMIT 1`

/**
 * The first source whose first turn no other gateway is at, nor another verb at its session; if there is none, the first that has any such
 * turn. The turn is ours from now on: gateways that look together find different ones, of different sources while there are.
 */
const waiting = (order: string): string =>
  `SELECT * FROM (${found(order, '=')}) ones UNION ALL SELECT * FROM (${found(order, '>=')}) others LIMIT 1`

export const laneWords: Words = [
  [laneSql.starts, 'SELECT starts_of(?1) AS starts'],
  [laneSql.inTurn, waiting('since, first_order')],
  [laneSql.byAge, waiting('first_order')],
  [laneSql.started, "SELECT nextval(CAST('starts_' || CAST(?1 AS TEXT) AS REGCLASS))"],
  [laneSql.served, 'UPDATE source SET since = starts_of(?1) WHERE lane = ?1 AND source = ?2'],
  [
    laneSql.forgetGone,
    `DELETE FROM source WHERE lane = ?1 AND source IN (
       SELECT source FROM source WHERE lane = ?1 AND first_order IS NULL AND until < starts_of(?1)
       LIMIT ?2 + 0 FOR UPDATE SKIP LOCKED)`,
  ],
]
