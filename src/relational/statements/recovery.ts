import { nextOf } from './ids.ts'

/** Starts that are remembered: more than any crash loop needs. */
const startsMax = 100

export const startSql = {
  /** ?1 holder, ?2 pid, ?3 now */
  add: `
    INSERT INTO start (n, holder, pid, at_ms, unclean)
    SELECT coalesce(max(n), 0) + 1, ?1, ?2, ?3,
      coalesce((SELECT ended_ms IS NULL FROM start ORDER BY n DESC LIMIT 1), 0)
    FROM start WHERE true
    ON CONFLICT (holder) DO NOTHING`,
  forget: `DELETE FROM start WHERE n <= (SELECT max(n) FROM start) - ${startsMax}`,
  end: 'UPDATE start SET ended_ms = coalesce(ended_ms, ?2) WHERE holder = ?1',
  list: `
    SELECT holder AS "holderId", pid, at_ms AS "atMs", ended_ms AS "endedAtMs", unclean
    FROM start ORDER BY n DESC LIMIT ${startsMax}`,
}

/** Turns of one session that are looked at for the highest fence; earlier ones have lower. */
const turnsMax = 1_000
const fences = `
  (SELECT max(fence) FROM (SELECT fence FROM turn WHERE session = ?1 ORDER BY position DESC LIMIT ${turnsMax}))`
const queued = `(SELECT count(*) FROM turn WHERE settled_ms IS NULL AND session = ?1 AND status = 'queued')`
const ready = `
  SELECT position, place FROM turn WHERE settled_ms IS NULL AND session = ?1 AND status = 'queued' AND ready = 1`
const strayTurns = `
  FROM turn t WHERE t.settled_ms IS NULL AND t.session = ?1 AND t.status = 'running'
    AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.session = ?1 AND l.turn = t.position)`
const strayLease = `
  EXISTS (SELECT 1 FROM lease l WHERE l.session = ?1
    AND NOT EXISTS (SELECT 1 FROM turn t WHERE t.position = l.turn AND t.session = ?1 AND t.status = 'running'))`

/** The invariants of `verify` for one session. ?1 its id */
export const inspectSql = {
  rows: `
    SELECT 'ready turn' AS problem FROM session s WHERE s.id = ?1 AND (
      (SELECT count(*) FROM (${ready})) <> (${queued} > 0 AND NOT EXISTS (SELECT 1 FROM lease WHERE session = ?1))
      OR (SELECT min(place) FROM (${ready})) >
        (SELECT min(place) FROM turn WHERE settled_ms IS NULL AND session = ?1 AND status = 'queued'))
    UNION ALL
    SELECT 'lease' FROM session s WHERE s.id = ?1 AND (
      s.running <> EXISTS (SELECT 1 FROM lease WHERE session = ?1) OR EXISTS (SELECT 1 ${strayTurns}) OR ${strayLease})
    UNION ALL
    SELECT 'queued count' FROM session s WHERE s.id = ?1 AND s.queued_turns <> ${queued}
    UNION ALL
    SELECT 'fence' FROM session s WHERE s.id = ?1
      AND (s.fence < ${fences} OR s.fence <> (SELECT fence FROM lease WHERE session = ?1))
    UNION ALL
    SELECT 'head' FROM session s LEFT JOIN entry e ON e.transcript = s.transcript_id AND e.seq = s.head
    WHERE s.id = ?1 AND (s.head_id IS NOT e.id OR s.shown_count <> coalesce(e.shown_count, 0)
      OR s.shown_tokens <> coalesce(e.shown_tokens, 0)
      OR EXISTS (SELECT 1 FROM entry n WHERE n.transcript = s.transcript_id AND n.seq > s.head))`,
  /** The newest entries and the one before them, newest first. ?1 transcript row, ?2 how many */
  newest: `
    SELECT e.n, e.seq, e.id, e.parent_id AS "parentId", e.kind, e.body, b.body AS packed, e.bytes, e.tokens,
      e.shown_count AS "shownCount", e.shown_tokens AS "shownTokens"
    FROM entry e LEFT JOIN blob b ON b.id = e.blob WHERE e.transcript = ?1 ORDER BY e.seq DESC LIMIT ?2 + 0`,
}

export const repairSql = {
  /** ?1 transcript row, ?2 after, ?3 how many */
  counts: `
    SELECT n, seq, kind, tokens, shown_count AS "shownCount", shown_tokens AS "shownTokens"
    FROM entry WHERE transcript = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3 + 0`,
  setCounts: 'UPDATE entry SET shown_count = ?2, shown_tokens = ?3 WHERE n = ?1',
  hidden: `
    UPDATE hidden SET (count, tokens) = (
      SELECT up.shown_count - coalesce(down.shown_count, 0), up.shown_tokens - coalesce(down.shown_tokens, 0)
      FROM entry up LEFT JOIN entry down ON down.transcript = up.transcript AND down.seq = hidden.from_seq - 1
      WHERE up.transcript = hidden.transcript AND up.seq = hidden.to_seq)
    WHERE transcript = ?1
      AND EXISTS (SELECT 1 FROM entry up WHERE up.transcript = hidden.transcript AND up.seq = hidden.to_seq)`,
  /** A lease for a turn that does not run, or under a fence that others have outgrown. ?1 session */
  strayLease: `
    SELECT l.turn FROM lease l JOIN session s ON s.id = l.session
    WHERE l.session = ?1 AND (l.fence < s.fence OR l.fence < ${fences} OR ${strayLease})`,
  strayTurns: `SELECT t.position, t.progress_ms AS "progressMs" ${strayTurns}`,
  session: `
    UPDATE session SET
      running = EXISTS (SELECT 1 FROM lease WHERE session = ?1),
      queued_turns = ${queued},
      fence = max(fence, coalesce(${fences}, 0), coalesce((SELECT fence FROM lease WHERE session = ?1), 0)),
      (head, head_id, shown_count, shown_tokens) = (
        SELECT coalesce(max(e.seq), 0), max(e.id), coalesce(max(e.shown_count), 0), coalesce(max(e.shown_tokens), 0)
        FROM (SELECT * FROM entry WHERE transcript = session.transcript_id ORDER BY seq DESC LIMIT 1) e)
    WHERE id = ?1`,
}

export const releaseSql = {
  /** ?1 old position, ?2 position, ?3 id, ?4 lane, ?5 place, ?6 lane order, ?7 what stands before it, ?8 now */
  addTurn: `
    INSERT INTO turn (position, id, session, lane, source, status, place, lane_order, blocked_by, admitted_ms, queued_ms,
      streaming, deliver_to, instructions, instructions_blob, params, params_blob)
    SELECT ?2, ?3, session, ?4, source, 'queued', ?5, ?6, ?7, ?8, ?8,
      streaming, deliver_to, instructions, instructions_blob, params, params_blob
    FROM turn WHERE position = ?1`,
  inbound: 'SELECT id, dedupe FROM inbound WHERE turn = ? ORDER BY id',
  /** ?1 old row, ?2 position, ?3 admission */
  addInbound: `
    INSERT INTO inbound (id, turn, session, admission, digest, messages, blob, bytes, tokens, at_ms)
    SELECT ${nextOf('inbound')}, ?2, session, ?3, digest, messages, blob, bytes, tokens, at_ms FROM inbound WHERE id = ?1
    RETURNING id`,
  setDedupe: 'UPDATE inbound SET dedupe = ?2 WHERE id = ?1',
  released: 'UPDATE turn SET released_as = ?2 WHERE position = ?1',
}
