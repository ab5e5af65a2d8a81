import { nextOf } from './ids.ts'

/** What leaves the database, and what comes back. */
export const leaveSql = {
  transcript: `
    SELECT id, number, started_ms AS "startedMs", reset_reason AS "resetReason", head, ended_ms AS "endedMs"
    FROM transcript WHERE session = ? AND number = ?`,
  numbers: 'SELECT number FROM transcript WHERE session = ? AND number > 0 ORDER BY number',
  transcriptsOf: 'SELECT id, number FROM transcript WHERE session = ? AND number > 0 ORDER BY number',
  /** Counts the notes and those that were undone: they change without the session's row. */
  summaries: `
    SELECT coalesce(max(id), 0) AS newest, coalesce(sum(undone_ms), 0) AS undone FROM summary WHERE session = ? AND transcript = ?`,
  /** Sessions whose reply is still to be sent: few, by two partial indexes. */
  unsettled: `
    SELECT DISTINCT t.session FROM delivery d JOIN turn t ON t.position = d.turn WHERE d.status = 'pending'
    UNION
    SELECT DISTINCT t.session FROM delivery d JOIN turn t ON t.position = d.turn WHERE d.status = 'sending'`,
  dropUnsettled: `
    DELETE FROM delivery WHERE id IN (
      SELECT d.id FROM delivery d JOIN turn t ON t.position = d.turn WHERE d.status = 'pending' AND t.session = ?1
      UNION
      SELECT d.id FROM delivery d JOIN turn t ON t.position = d.turn WHERE d.status = 'sending' AND t.session = ?1)`,
  hideTranscript: 'UPDATE transcript SET number = -id, ended_ms = NULL WHERE id = ?',
  withhold: 'INSERT INTO withheld (transcript, session, number, counted) VALUES (?, ?, ?, ?)',
  countOff: 'UPDATE session SET entries = entries - ?2 WHERE id = ?1',
  bury: `
    INSERT INTO tombstone (key_hash, fence, transcript) VALUES (?1, ?2, ?3)
    ON CONFLICT (key_hash) DO UPDATE SET fence = max(fence, ?2), transcript = max(transcript, ?3)`,
  tombstone: 'SELECT fence, transcript FROM tombstone WHERE key_hash = ?',
  removeSession: `
    UPDATE session SET key = 'removed ' || id, state = 'removed', title = NULL, head_id = NULL WHERE id = ?`,
}

export interface WithheldRow {
  transcript: number
  session: number
  number: number
  counted: number
  archived: number | null
  part: number
  header: string | null
  counts: string | null
  bytes: number
}

const withheldColumns = 'transcript, session, number, counted, archived, part, header, counts, bytes'

export const purgeSql = {
  next: `SELECT ${withheldColumns} FROM withheld WHERE archived IS NULL ORDER BY transcript LIMIT 1`,
  /** Stages that nobody of this process writes to. ?1 ids as a JSON array */
  abandon: `
    UPDATE withheld SET archived = NULL, counted = 0
    WHERE archived IS NOT NULL AND archived NOT IN (SELECT value FROM json_each(?1))`,
  entries: `
    SELECT e.seq, e.turn, e.blob, e.bytes, b.stored FROM entry e LEFT JOIN blob b ON b.id = e.blob
    WHERE e.transcript = ? ORDER BY e.seq LIMIT ?`,
  hasEntry: 'SELECT 1 FROM entry WHERE transcript = ? LIMIT 1',
  dropEntries: 'DELETE FROM entry WHERE transcript = ? AND seq <= ?',
  /** ?1 positions as a JSON array, ?2 session, ?3 number */
  turnsOf: `
    SELECT t.position, t.instructions_blob AS instructions, t.params_blob AS params
    FROM json_each(?1) p JOIN turn t ON t.position = p.value WHERE t.session = ?2 AND t.transcript = ?3`,
  turnsLeft: `
    SELECT position, instructions_blob AS instructions, params_blob AS params FROM turn WHERE session = ? LIMIT ?`,
  inboundBlobs: 'SELECT blob FROM inbound WHERE turn = ? AND blob IS NOT NULL',
  dropInbound: 'DELETE FROM inbound WHERE turn = ?',
  dropDeliveries: 'DELETE FROM delivery WHERE turn = ?',
  dropTurn: 'DELETE FROM turn WHERE position = ?',
  dropHidden: `
    DELETE FROM hidden WHERE transcript = ?1
      AND from_seq IN (SELECT from_seq FROM hidden WHERE transcript = ?1 LIMIT ?2)`,
  /** Newest first: each names the one before it. */
  dropSummaries: `
    DELETE FROM summary WHERE id IN (
      SELECT id FROM summary WHERE session = ?1 AND transcript = ?2 ORDER BY id DESC LIMIT ?3)`,
  dropTranscript: 'DELETE FROM transcript WHERE id = ?',
  dropWithheld: 'DELETE FROM withheld WHERE transcript = ?',
  /** A removed session whose transcripts are gone. */
  nextSession: `
    SELECT s.id FROM session s WHERE s.state = 'removed' AND NOT EXISTS (SELECT 1 FROM withheld w WHERE w.session = s.id)
    LIMIT 1`,
  dropSession: 'DELETE FROM session WHERE id = ?',
  countOffBytes: 'UPDATE session SET bytes = bytes - ?2 WHERE id = ?1',
  blobStored: 'SELECT stored FROM blob WHERE id = ?',
  dropBlob: `
    DELETE FROM blob WHERE id = ?1
      AND NOT EXISTS (SELECT 1 FROM entry WHERE blob = ?1) AND NOT EXISTS (SELECT 1 FROM inbound WHERE blob = ?1)
      AND NOT EXISTS (SELECT 1 FROM turn WHERE instructions_blob = ?1)
      AND NOT EXISTS (SELECT 1 FROM turn WHERE params_blob = ?1)`,
}

export const returnSql = {
  stage: `SELECT ${withheldColumns} FROM withheld WHERE archived = ?`,
  others: `SELECT ${withheldColumns} FROM withheld WHERE session = ? AND number = ? AND transcript <> ?`,
  dropStage: 'UPDATE withheld SET archived = NULL, counted = 0 WHERE archived = ?',
  /** ?1 name that no key has, ?2 agent, ?3 kind, ?4 fence, ?5 now */
  addSession: `
    INSERT INTO session (id, key, agent_id, kind, state, transcript_id, fence, created_ms, active_ms)
    VALUES (${nextOf('session')}, ?1, ?2, ?3, 'removed', 0, ?4, ?5, ?5)
    RETURNING id`,
  addTranscript: `
    INSERT INTO transcript (id, session, number, started_ms, reset_reason)
    VALUES (${nextOf('transcript')}, ?1, -${nextOf('transcript')}, ?2, ?3)
    RETURNING id`,
  addStage: `
    INSERT INTO withheld (transcript, session, number, counted, archived, part, header, counts) VALUES (?, ?, ?, 0, ?, 0, ?, ?)`,
  staged: 'UPDATE withheld SET part = ?2, counts = ?3, bytes = ?4 WHERE transcript = ?1',
  last: `
    SELECT seq, id, shown_count AS "shownCount", shown_tokens AS "shownTokens" FROM entry
    WHERE transcript = ? ORDER BY seq DESC LIMIT 1`,
  entryAt: 'SELECT n, transcript, blob, bytes FROM entry WHERE n = ? OR id = ?',
  dropEntry: 'DELETE FROM entry WHERE n = ?',
  withheldOf: `SELECT ${withheldColumns} FROM withheld WHERE transcript = ?`,
  turnAt: `
    SELECT t.position, t.session, t.transcript, t.instructions_blob AS instructions, t.params_blob AS params
    FROM turn t WHERE t.position = ? OR t.id = ?`,
  inboundAt: 'SELECT id, turn, blob FROM inbound WHERE id = ? OR admission = ?',
  dropInboundAt: 'DELETE FROM inbound WHERE id = ?',
  deliveryAt: 'SELECT id, turn FROM delivery WHERE id = ? OR (turn = ? AND target = ?)',
  dropDeliveryAt: 'DELETE FROM delivery WHERE id = ?',
  summaryAt: 'SELECT id, session, transcript FROM summary WHERE id = ?',
  dropSummaryAt: 'DELETE FROM summary WHERE id = ?',
  isWithheldTurn: `
    SELECT 1 FROM session s WHERE s.id = ?1
      AND (s.state = 'removed' OR EXISTS (SELECT 1 FROM withheld w WHERE w.session = ?1 AND w.number = ?2))`,
  addHidden: `
    INSERT INTO hidden (transcript, from_seq, to_seq, count, tokens) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  next: {
    entry: `SELECT ${nextOf('entry')} AS next`,
    turn: `SELECT ${nextOf('turn')} AS next`,
    inbound: `SELECT ${nextOf('inbound')} AS next`,
    delivery: `SELECT ${nextOf('delivery')} AS next`,
    summary: `SELECT ${nextOf('summary')} AS next`,
  },
  /** ?1 session, ?2 ?3 its number in another store, in both forms */
  turnFrom: 'SELECT position FROM turn WHERE session = ?1 AND place = ?2 AND lane_order = ?3',
  /** ?1 session, ?2 number */
  lastSummary: 'SELECT id FROM summary WHERE session = ?1 AND transcript = ?2 ORDER BY id DESC LIMIT 1',
  hasHolder: 'SELECT 1 FROM holder WHERE id = ?',
  showTranscript: 'UPDATE transcript SET number = ?2, head = ?3, ended_ms = ?4 WHERE id = ?1',
  nextStart: 'SELECT min(started_ms) AS "atMs" FROM transcript WHERE session = ? AND number > ?',
  countIn: 'UPDATE session SET entries = entries + ?2, bytes = bytes + ?3 WHERE id = ?1',
  /** ?1 id, ?2 key, ?3 state … */
  showSession: `
    UPDATE session SET key = ?2, state = ?3, title = ?4, pinned = 0, transcript = ?5, transcript_id = ?6, head = ?7,
      head_id = ?8, shown_count = ?9, shown_tokens = ?10, fence = ?11, context_tokens = ?12, meter_ratio = ?13,
      entries = ?14, bytes = ?15, turns_total = ?16, created_ms = ?17, active_ms = ?18, archived_ms = ?19
    WHERE id = ?1`,
}

const archivedColumns = `
  id, key AS "sessionKey", kind, transcript, whole, place, sweep, file, "offset", length, bytes, sha256, entries,
  first_ms AS "firstAtMs", last_ms AS "lastAtMs", taken_ms AS "takenAtMs", expires_ms AS "expiresAtMs"`

export const archivedSql = {
  byId: `SELECT ${archivedColumns} FROM archived WHERE id = ?`,
  known: 'SELECT id FROM archived WHERE key = ? AND transcript = ? AND sweep = ?',
  add: `
    INSERT INTO archived (key, kind, transcript, whole, place, sweep, file, "offset", length, bytes, sha256, entries,
      first_ms, last_ms, taken_ms, expires_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    RETURNING id`,
  move: `
    UPDATE archived SET place = ?2, sweep = ?3, file = ?4, "offset" = ?5, length = ?6, expires_ms = ?7 WHERE id = ?1`,
  drop: 'DELETE FROM archived WHERE id = ?',
  /** ?1 ?2 the last row's time and id, ?3 key, ?4 place, ?5 sweep, ?6 expired at, ?7 limit */
  list: `
    SELECT ${archivedColumns} FROM archived
    WHERE (taken_ms, id) < (?1, ?2) AND (CAST(?3 AS TEXT) IS NULL OR key = ?3) AND (CAST(?4 AS TEXT) IS NULL OR place = ?4)
      AND (CAST(?5 AS TEXT) IS NULL OR sweep = ?5) AND (CAST(?6 AS BIGINT) IS NULL OR expires_ms <= ?6)
    ORDER BY taken_ms DESC, id DESC LIMIT ?7`,
  listOfKey: `
    SELECT ${archivedColumns} FROM archived
    WHERE key = ?3 AND (taken_ms, id) < (?1, ?2) AND (CAST(?4 AS TEXT) IS NULL OR place = ?4)
      AND (CAST(?5 AS TEXT) IS NULL OR sweep = ?5) AND (CAST(?6 AS BIGINT) IS NULL OR expires_ms <= ?6)
    ORDER BY taken_ms DESC, id DESC LIMIT ?7`,
  listOfSweep: `
    SELECT ${archivedColumns} FROM archived
    WHERE sweep = ?5 AND (taken_ms, id) < (?1, ?2) AND (CAST(?3 AS TEXT) IS NULL OR key = ?3) AND (CAST(?4 AS TEXT) IS NULL OR place = ?4)
      AND (CAST(?6 AS BIGINT) IS NULL OR expires_ms <= ?6)
    ORDER BY taken_ms DESC, id DESC LIMIT ?7`,
  listExpired: `
    SELECT ${archivedColumns} FROM archived
    WHERE expires_ms <= ?6 AND (taken_ms, id) < (?1, ?2) AND (CAST(?3 AS TEXT) IS NULL OR key = ?3) AND (CAST(?4 AS TEXT) IS NULL OR place = ?4)
      AND (CAST(?5 AS TEXT) IS NULL OR sweep = ?5)
    ORDER BY taken_ms DESC, id DESC LIMIT ?7`,
  places: 'SELECT place, count(*) AS count, sum(length) AS bytes FROM archived GROUP BY place',
}

const unprotected = `
  s.pinned = 0 AND s.running = 0 AND s.queued_turns = 0
  AND NOT EXISTS (SELECT 1 FROM turn t WHERE t.settled_ms IS NULL AND t.session = s.id AND t.status = 'interrupted')
  AND s.id NOT IN (SELECT value FROM json_each(?2))`
const factColumns = `
  s.id, s.key, s.kind, s.created_ms AS "createdAtMs", s.active_ms AS "activeAtMs", s.entries, s.bytes`

export const retentionSql = {
  kinds: `
    SELECT kind, count(*) AS sessions, sum(entries) AS entries, sum(bytes) AS bytes FROM session
    WHERE state <> 'removed' GROUP BY kind ORDER BY kind`,
  /** ?1 kind, ?2 sessions with an unsettled delivery as a JSON array, ?3 active before, ?4 limit */
  idlest: `
    SELECT ${factColumns} FROM session s INDEXED BY session_idle
    WHERE s.kind = ?1 AND s.active_ms < ?3 AND s.state <> 'removed' AND ${unprotected}
    ORDER BY s.active_ms, s.id LIMIT ?4`,
  eldest: `
    SELECT ${factColumns} FROM session s INDEXED BY session_made
    WHERE s.kind = ?1 AND s.active_ms < ?3 AND s.state <> 'removed' AND ${unprotected}
    ORDER BY s.created_ms, s.id LIMIT ?4`,
  /** ?1 limit, ?2 as above */
  earlier: `
    SELECT s.key, s.kind, tr.number AS transcript, tr.ended_ms AS "endedAtMs", tr.head AS entries
    FROM transcript tr JOIN session s ON s.id = tr.session
    WHERE tr.ended_ms IS NOT NULL AND s.state <> 'removed' AND ${unprotected}
    ORDER BY tr.ended_ms, tr.id LIMIT ?1`,
  newest: `
    SELECT max(
      coalesce((SELECT max(active_ms) FROM session WHERE state = 'open'), 0),
      coalesce((SELECT max(active_ms) FROM session WHERE state = 'archived'), 0),
      coalesce((SELECT admitted_ms FROM turn ORDER BY position DESC LIMIT 1), 0),
      coalesce((SELECT at_ms FROM entry ORDER BY n DESC LIMIT 1), 0),
      coalesce((SELECT max(taken_ms) FROM archived), 0)) AS "atMs"`,
}

export const exportSql = {
  entries: `
    SELECT e.*, b.body AS packed FROM entry e LEFT JOIN blob b ON b.id = e.blob
    WHERE e.transcript = ? AND e.seq > ? ORDER BY e.seq LIMIT ? + 0`,
  /** The turn that this entry is the first of. ?1 position, ?2 seq, ?3 session, ?4 number */
  opened: 'SELECT * FROM turn WHERE position = ?1 AND asked_from = ?2 AND session = ?3 AND transcript = ?4',
  inbound: `
    SELECT i.*, b.body AS packed FROM inbound i LEFT JOIN blob b ON b.id = i.blob WHERE i.turn = ? ORDER BY i.id`,
  deliveries: 'SELECT * FROM delivery WHERE turn = ? ORDER BY id',
  summaries: 'SELECT * FROM summary WHERE session = ? AND transcript = ? AND id > ? ORDER BY id LIMIT ? + 0',
  hidden: `
    SELECT from_seq AS "fromSeq", to_seq AS "toSeq", count, tokens FROM hidden
    WHERE transcript = ? AND from_seq > ? ORDER BY from_seq LIMIT ? + 0`,
  /** Turns of the session that no entry begins. ?1 session, ?2 after position */
  unopened: `
    SELECT t.* FROM turn t
    WHERE t.session = ?1 AND t.position > ?2 AND NOT EXISTS (
      SELECT 1 FROM transcript tr JOIN entry e ON e.transcript = tr.id AND e.seq = t.asked_from AND e.turn = t.position
      WHERE tr.session = t.session AND tr.number = t.transcript)
    ORDER BY t.position LIMIT ?3 + 0`,
}
