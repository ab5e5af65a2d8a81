import { inspectSql, releaseSql, repairSql, startSql } from '../../relational/statements/recovery.ts'
import type { Words } from './own.ts'

/** Turns of one session that are looked at for the highest fence; earlier ones have lower. */
const fences = `
  (SELECT max(f.fence) FROM (SELECT fence FROM turn WHERE session = ?1 ORDER BY position DESC LIMIT 1000) f)`
const queued = `(SELECT count(*) FROM turn WHERE settled_ms IS NULL AND session = ?1 AND status = 'queued')`
const ready = `
  SELECT position, place FROM turn WHERE settled_ms IS NULL AND session = ?1 AND status = 'queued' AND ready = 1`
const leased = 'EXISTS (SELECT 1 FROM lease WHERE session = ?1)'
const strayTurns = `
  FROM turn t WHERE t.settled_ms IS NULL AND t.session = ?1 AND t.status = 'running'
    AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.session = ?1 AND l.turn = t.position)`
const strayLease = `
  EXISTS (SELECT 1 FROM lease l WHERE l.session = ?1
    AND NOT EXISTS (SELECT 1 FROM turn t WHERE t.position = l.turn AND t.session = ?1 AND t.status = 'running'))`

export const recoveryWords: Words = [
  [
    // the start before it is the one on the same machine: others run beside
    startSql.add,
    `INSERT INTO start (n, holder, pid, at_ms, unclean)
     SELECT coalesce(max(n), 0) + 1, CAST(?1 AS TEXT), CAST(?2 AS BIGINT), CAST(?3 AS BIGINT),
       coalesce((
         SELECT CASE WHEN b.ended_ms IS NULL THEN 1 ELSE 0 END FROM start b JOIN holder h ON h.id = b.holder
         WHERE h.host = (SELECT host FROM holder WHERE id = ?1) ORDER BY b.n DESC LIMIT 1), 0)
     FROM start
     ON CONFLICT (holder) DO NOTHING`,
  ],
  [
    inspectSql.rows,
    `SELECT 'ready turn' AS problem FROM session s WHERE s.id = ?1 AND (
       (SELECT count(*) FROM (${ready}) r) <> CASE WHEN ${queued} > 0 AND NOT ${leased} THEN 1 ELSE 0 END
       OR (SELECT min(place) FROM (${ready}) r) >
         (SELECT min(place) FROM turn WHERE settled_ms IS NULL AND session = ?1 AND status = 'queued'))
     UNION ALL
     SELECT 'lease' FROM session s WHERE s.id = ?1 AND (
       s.running <> CASE WHEN ${leased} THEN 1 ELSE 0 END OR EXISTS (SELECT 1 ${strayTurns}) OR ${strayLease})
     UNION ALL
     SELECT 'queued count' FROM session s WHERE s.id = ?1 AND s.queued_turns <> ${queued}
     UNION ALL
     SELECT 'fence' FROM session s WHERE s.id = ?1
       AND (s.fence < ${fences} OR s.fence <> (SELECT fence FROM lease WHERE session = ?1))
     UNION ALL
     SELECT 'head' FROM session s LEFT JOIN entry e ON e.transcript = s.transcript_id AND e.seq = s.head
     WHERE s.id = ?1 AND (s.head_id IS DISTINCT FROM e.id OR s.shown_count <> coalesce(e.shown_count, 0)
       OR s.shown_tokens <> coalesce(e.shown_tokens, 0)
       OR EXISTS (SELECT 1 FROM entry n WHERE n.transcript = s.transcript_id AND n.seq > s.head))`,
  ],
  [
    repairSql.session,
    `UPDATE session SET
       running = CASE WHEN ${leased} THEN 1 ELSE 0 END,
       queued_turns = ${queued},
       fence = greatest(fence, coalesce(${fences}, 0), coalesce((SELECT fence FROM lease WHERE session = ?1), 0)),
       (head, head_id, shown_count, shown_tokens) = (
         SELECT coalesce(max(e.seq), 0), max(e.id), coalesce(max(e.shown_count), 0), coalesce(max(e.shown_tokens), 0)
         FROM (SELECT * FROM entry WHERE transcript = session.transcript_id ORDER BY seq DESC LIMIT 1) e)
     WHERE id = ?1`,
  ],
  [
    releaseSql.addTurn,
    `INSERT INTO turn (position, id, session, lane, source, status, place, lane_order, blocked_by, admitted_ms, queued_ms,
       streaming, deliver_to, instructions, instructions_blob, params, params_blob)
     SELECT CAST(?2 AS BIGINT), CAST(?3 AS TEXT), session, CAST(?4 AS TEXT), source, 'queued', CAST(?5 AS BIGINT), CAST(?6 AS BIGINT),
       CAST(?7 AS TEXT), CAST(?8 AS BIGINT), CAST(?8 AS BIGINT),
       streaming, deliver_to, instructions, instructions_blob, params, params_blob
     FROM turn WHERE position = ?1`,
  ],
  [
    releaseSql.addInbound,
    `INSERT INTO inbound (id, turn, session, admission, digest, messages, blob, bytes, tokens, at_ms)
     SELECT nextval('inbound_number'), CAST(?2 AS BIGINT), session, CAST(?3 AS TEXT), digest, messages, blob, bytes, tokens, at_ms
     FROM inbound WHERE id = ?1
     RETURNING id`,
  ],
]
