import { windowMaxMs } from '../../model/turns.ts'
import { nextOf } from './ids.ts'
import { isSeen } from './withheld.ts'

const columns = `
  t.position, t.id, s.key AS "sessionKey", t.lane, t.source, t.status, t.attempts, t.blocked_by AS "blockedBy",
  t.admitted_ms AS "admittedAtMs", t.ready_ms AS "readyAtMs", t.started_ms AS "startedAtMs",
  coalesce(l.progress_ms, t.progress_ms) AS "progressAtMs", t.settled_ms AS "settledAtMs",
  t.cancel_requested AS "cancelRequested", t.outcome, t.finish_reason AS "finishReason", t.usage, t.transcript,
  t.reply_from AS "replyFromSeq", t.reply_to AS "replyToSeq",
  t.handed_over AS "handedOver", t.released_as AS "releasedAs", t.session, t.fence, t.queued_ms AS "queuedMs",
  t.asked_from AS "askedFrom", t.asked_to AS "askedTo", t.attempt_from AS "attemptFrom", t.attempt_to AS "attemptTo",
  t.interrupted_ms AS "interruptedMs",
  t.settled_fence AS "settledFence", t.streaming, t.deliver_to AS "deliverTo",
  t.instructions, t.instructions_blob AS "instructionsBlob", t.params, t.params_blob AS "paramsBlob"`
const from = `
  FROM turn t JOIN session s ON s.id = t.session
    LEFT JOIN lease l ON l.session = t.session AND l.turn = t.position`

/** Waiting turns that were interrupted rank after every new message: their `place` begins here (2^50). */
export const placeOfResumed = 1_125_899_906_842_624

export const turnSql = {
  byId: `SELECT ${columns} ${from} WHERE t.id = ? AND ${isSeen}`,
  idsOf:
    'SELECT t.id AS "turnId", s.key AS "sessionKey" FROM turn t JOIN session s ON s.id = t.session WHERE t.position = ?',
  byPosition: `SELECT ${columns} ${from} WHERE t.position = ?`,

  /** ?1 ids as a JSON array */
  states: `
    SELECT t.id AS "turnId", t.status, t.cancel_requested AS "cancelRequested", l.holder AS "holderId"
    FROM turn t LEFT JOIN lease l ON l.session = t.session AND l.turn = t.position
    WHERE t.id IN (SELECT value FROM json_each(?1))`,

  /** ?1 last position, ?2 session or null, ?3 statuses as a JSON array or null, ?4 limit */
  oldestAfter: `
    SELECT ${columns} ${from}
    WHERE t.position > ?1 AND ${isSeen} AND (CAST(?2 AS BIGINT) IS NULL OR t.session = ?2)
      AND (CAST(?3 AS TEXT) IS NULL OR t.status IN (SELECT value FROM json_each(?3)))
    ORDER BY t.position LIMIT ?4 + 0`,
  newestBefore: `
    SELECT ${columns} ${from}
    WHERE t.position < ?1 AND ${isSeen} AND (CAST(?2 AS BIGINT) IS NULL OR t.session = ?2)
      AND (CAST(?3 AS TEXT) IS NULL OR t.status IN (SELECT value FROM json_each(?3)))
    ORDER BY t.position DESC LIMIT ?4 + 0`,
  /** The same for turns of one session, and for turns that have not ended, which have indexes. */
  oldestOfSession: `
    SELECT ${columns} ${from}
    WHERE t.session = ?2 AND t.position > ?1 AND ${isSeen} AND (CAST(?3 AS TEXT) IS NULL OR t.status IN (SELECT value FROM json_each(?3)))
    ORDER BY t.position LIMIT ?4 + 0`,
  newestOfSession: `
    SELECT ${columns} ${from}
    WHERE t.session = ?2 AND t.position < ?1 AND ${isSeen} AND (CAST(?3 AS TEXT) IS NULL OR t.status IN (SELECT value FROM json_each(?3)))
    ORDER BY t.position DESC LIMIT ?4 + 0`,
  oldestOpen: `
    SELECT ${columns} ${from}
    WHERE t.settled_ms IS NULL AND t.position > ?1 AND (CAST(?2 AS BIGINT) IS NULL OR t.session = ?2)
      AND t.status IN (SELECT value FROM json_each(?3))
    ORDER BY t.position LIMIT ?4 + 0`,
  newestOpen: `
    SELECT ${columns} ${from}
    WHERE t.settled_ms IS NULL AND t.position < ?1 AND (CAST(?2 AS BIGINT) IS NULL OR t.session = ?2)
      AND t.status IN (SELECT value FROM json_each(?3))
    ORDER BY t.position DESC LIMIT ?4 + 0`,

  /** What `expireLeases` interrupted at this time, for its repeat after an unknown outcome. */
  interruptedAt: `
    SELECT ${columns} ${from}
    WHERE t.settled_ms IS NULL AND t.status = 'interrupted' AND t.interrupted_ms = ?2
      AND t.holder IN (SELECT value FROM json_each(?1))
    ORDER BY t.position DESC LIMIT ?3 + 0`,

  /** In quarantine and not released, from its own index. ?1 before this position, ?2 how many */
  quarantined: `
    SELECT ${columns} ${from}
    WHERE t.status = 'quarantined' AND t.released_as IS NULL AND t.position < ?1 AND ${isSeen}
    ORDER BY t.position DESC LIMIT ?2 + 0`,

  nextPosition: `SELECT ${nextOf('turn')} AS position`,
  add: `
    INSERT INTO turn (position, id, session, lane, source, status, place, lane_order, not_before_ms, coalesce_until_ms,
      blocked_by, admitted_ms, queued_ms, streaming, deliver_to, instructions, instructions_blob, params, params_blob)
    VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,

  /** The next of the session's waiting turns, whose columns are null when none waits; others that are ready, and any that is to be written down. */
  queueHead: `
    SELECT h.position, h.place, h.ready,
      CASE WHEN EXISTS (SELECT 1 FROM turn WHERE settled_ms IS NULL AND session = ?1 AND status = 'queued' AND ready = 1
        AND position <> coalesce(h.position, 0)) THEN 1 ELSE 0 END AS "othersReady",
      CASE WHEN EXISTS (SELECT 1 FROM turn WHERE unwritten = 1 AND session = ?1) THEN 1 ELSE 0 END AS unwritten
    FROM (SELECT 1 AS one) s LEFT JOIN (
      SELECT position, place, ready FROM turn
      WHERE settled_ms IS NULL AND session = ?1 AND status = 'queued' ORDER BY place LIMIT 1) h ON s.one = 1`,
  queueLast: `
    SELECT position, lane, source, coalesce_until_ms AS "coalesceUntilMs", streaming, deliver_to AS "deliverTo", instructions,
      instructions_blob AS "instructionsBlob", params, params_blob AS "paramsBlob"
    FROM turn
    WHERE settled_ms IS NULL AND session = ? AND status = 'queued' AND place < ${placeOfResumed}
    ORDER BY place DESC LIMIT 1`,
  hasInterrupted: `SELECT 1 FROM turn WHERE settled_ms IS NULL AND session = ? AND status = 'interrupted' LIMIT 1`,
  /** What the reset at this time ended. */
  cancelledByReset: `
    SELECT id FROM turn
    WHERE session = ?1 AND status = 'cancelled' AND settled_ms = ?2 AND outcome ->> '$.facts.by' = 'reset'`,
  demote: `
    UPDATE turn SET ready = 0, ready_ms = NULL
    WHERE settled_ms IS NULL AND session = ? AND status = 'queued' AND ready = 1 AND position <> ?`,
  promote: 'UPDATE turn SET ready = 1, ready_ms = ? WHERE position = ?',
  countQueued: `SELECT count(*) AS count FROM turn WHERE settled_ms IS NULL AND status = 'queued'`,

  /** ?1 now, ?2 how many at most; also what is due later than any window lasts. */
  due: `
    UPDATE turn SET not_before_ms = NULL WHERE position IN (
      SELECT * FROM (
        SELECT position FROM turn WHERE not_before_ms <= ?1 ORDER BY not_before_ms, position LIMIT ?2 + 0)
      UNION ALL SELECT * FROM (
        SELECT position FROM turn WHERE not_before_ms > ?1 + ${windowMaxMs} ORDER BY not_before_ms LIMIT ?2 + 0))`,
  /**
   * ?1 the name of a claim, ?2 now. What it took before; whether a window is to be closed; whether any source waits. The ends of indexes are
   * asked for, not whether something exists: of a column that is null in every row PostgreSQL takes a third to be in any range.
   */
  claimable: `
    SELECT (SELECT turn FROM lease WHERE claim = ?1) AS taken,
      CASE WHEN (SELECT min(not_before_ms) FROM turn WHERE not_before_ms IS NOT NULL) <= ?2 THEN 1
        WHEN (SELECT max(not_before_ms) FROM turn WHERE not_before_ms IS NOT NULL) > ?2 + ${windowMaxMs} THEN 1
        ELSE 0 END AS due,
      CASE WHEN (SELECT lane FROM source WHERE first_order IS NOT NULL ORDER BY lane LIMIT 1) IS NOT NULL THEN 1 ELSE 0 END AS waiting`,
  nextDue: 'SELECT min(not_before_ms) AS "atMs" FROM turn WHERE not_before_ms IS NOT NULL',

  start: `
    UPDATE turn SET status = 'running', ready = 0, not_before_ms = NULL, attempts = attempts + 1, fence = ?2, holder = ?3,
      started_ms = ?4, progress_ms = ?4, transcript = ?5, asked_from = ?6, asked_to = ?7, attempt_from = ?8,
      attempt_to = NULL
    WHERE position = ?1`,
  interrupt: `
    UPDATE turn SET status = 'interrupted', interrupted_ms = ?2, attempt_to = ?3, progress_ms = ?4,
      handed_over = handed_over + ?5
    WHERE position = ?1`,
  requeue: `
    UPDATE turn SET status = 'queued', ready = 0, ready_ms = NULL, lane = ?2, place = ?3, lane_order = ?4, queued_ms = ?5
    WHERE position = ?1`,
  /** ?1 position … ?9 last seq of the attempt, kept when it has not run */
  settle: `
    UPDATE turn SET status = ?2, ready = 0, not_before_ms = NULL, settled_ms = ?3, outcome = ?4, finish_reason = ?5,
      usage = ?6, reply_from = ?7, reply_to = ?8, attempt_to = coalesce(?9, attempt_to),
      progress_ms = coalesce(?10, progress_ms), cancel_requested = coalesce(cancel_requested, ?11),
      settled_fence = ?12
    WHERE position = ?1`,
  /** It ended while it waited: the transcript is to say so. */
  leaveUnwritten: 'UPDATE turn SET unwritten = 1 WHERE position = ?',
  /** ?1 session, ?2 up to this place */
  unwritten: `
    SELECT ${columns} ${from} WHERE t.unwritten = 1 AND t.session = ?1 AND t.position < ?2 ORDER BY t.position`,
  written: `
    UPDATE turn SET unwritten = 0, transcript = ?2, asked_from = ?3, asked_to = ?4, attempt_from = ?5, attempt_to = ?6
    WHERE position = ?1`,
  requestCancel: 'UPDATE turn SET cancel_requested = coalesce(cancel_requested, ?2) WHERE position = ?1',
}

export const inboundSql = {
  add: `
    INSERT INTO inbound (id, turn, session, admission, dedupe, digest, interrupted, messages, blob, bytes, tokens, at_ms)
    VALUES (${nextOf('inbound')}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  /** `seen` is 0 for what was taken out and is not deleted yet. */
  byAdmission: `
    SELECT i.turn, i.admission, i.digest, i.interrupted, ${isSeen} AS seen
    FROM inbound i JOIN turn t ON t.position = i.turn JOIN session s ON s.id = t.session WHERE i.admission = ?`,
  byDedupe: `
    SELECT i.turn, i.admission, i.digest, i.interrupted, 1 AS seen
    FROM inbound i JOIN turn t ON t.position = i.turn JOIN session s ON s.id = t.session
    WHERE i.session = ? AND i.dedupe = ? AND ${isSeen} ORDER BY i.turn DESC LIMIT 1`,
  giveUpAdmission: `UPDATE inbound SET admission = 'gone ' || id WHERE admission = ?`,
  giveUpTurnId: `UPDATE turn SET id = 'gone ' || position WHERE id = ?`,
  ofTurn: `
    SELECT i.dedupe, i.messages, b.body AS packed, i.tokens, i.at_ms AS "atMs"
    FROM inbound i LEFT JOIN blob b ON b.id = i.blob WHERE i.turn = ? ORDER BY i.id`,
  tokensOfTurn:
    'SELECT coalesce(sum(each.value), 0) AS tokens FROM inbound i, json_each(i.tokens) each WHERE i.turn = ?',
  blobBody: 'SELECT body FROM blob WHERE id = ?',
}
