import { isSeen } from './withheld.ts'

/** Transcripts on their way out or back are hidden, and only in part there. */
const entriesSeen = '(SELECT * FROM entry WHERE transcript NOT IN (SELECT transcript FROM withheld))'

/** Each gives one row with `problem` for every violation: ids and numbers, never what people wrote. */
export interface Invariant {
  name: string
  sql: string
}

export const quickInvariants: readonly Invariant[] = [
  {
    name: 'a session without a lease that has waiting turns has exactly one ready turn, its first',
    sql: `
      SELECT 'session ' || s.id || ' has ' || count(t.position) FILTER (WHERE t.ready = 1) || ' ready turns' AS problem
      FROM session s LEFT JOIN turn t ON t.session = s.id AND t.settled_ms IS NULL AND t.status = 'queued'
      GROUP BY s.id
      HAVING count(t.position) FILTER (WHERE t.ready = 1) <>
          CASE WHEN count(t.position) > 0 AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.session = s.id) THEN 1 ELSE 0 END
        OR min(t.place) FILTER (WHERE t.ready = 1) > min(t.place)`,
  },
  {
    name: 'only waiting turns are ready',
    sql: `SELECT 'turn ' || id || ' is ' || status || ' and ready' AS problem FROM turn WHERE ready = 1 AND status <> 'queued'`,
  },
  {
    name: 'a lane knows its sources, each with its first turn that can start',
    sql: `
      SELECT 'lane ' || t.lane || ' has turn ' || t.id || ' without its source' AS problem FROM turn t
      WHERE t.ready = 1 AND t.not_before_ms IS NULL AND NOT EXISTS (
        SELECT 1 FROM source s WHERE s.lane = t.lane AND s.source = t.source AND s.first_order <= t.lane_order)
      UNION ALL
      SELECT 'lane ' || s.lane || ' has a source whose first turn cannot start' FROM source s
      WHERE s.first_order IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM turn t
        WHERE t.ready = 1 AND t.not_before_ms IS NULL
          AND t.lane = s.lane AND t.source = s.source AND t.lane_order = s.first_order)`,
  },
  {
    name: 'no source was served after the last start of its lane',
    sql: `
      SELECT 'lane ' || s.lane || ' has a source served at start ' || max(s.since, s.until) AS problem
      FROM source s LEFT JOIN lane l ON l.name = s.lane WHERE max(s.since, s.until) > coalesce(l.starts, 0)`,
  },
  {
    name: 'a lease is counted in the lane and for the source of its turn',
    sql: `
      SELECT 'session ' || l.session || ' has a lease in lane ' || l.lane AS problem
      FROM lease l JOIN turn t ON t.position = l.turn WHERE l.lane <> t.lane OR l.source <> t.source`,
  },
  {
    name: 'every running turn has its lease, and every lease its running turn',
    sql: `
      SELECT 'turn ' || t.id || ' runs without a lease' AS problem FROM turn t
      WHERE t.settled_ms IS NULL AND t.status = 'running' AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.turn = t.position)
      UNION ALL
      SELECT 'session ' || l.session || ' has a lease for a turn that does not run' FROM lease l
      WHERE NOT EXISTS (SELECT 1 FROM turn t WHERE t.position = l.turn AND t.session = l.session AND t.status = 'running')
      UNION ALL
      SELECT 'session ' || s.id || ' counts ' || s.running || ' running' FROM session s
      WHERE s.running <> EXISTS (SELECT 1 FROM lease l WHERE l.session = s.id)`,
  },
  {
    name: 'a session counts its waiting turns',
    sql: `
      SELECT 'session ' || s.id || ' counts ' || s.queued_turns AS problem FROM session s
      WHERE s.queued_turns <>
        (SELECT count(*) FROM turn t WHERE t.settled_ms IS NULL AND t.session = s.id AND t.status = 'queued')`,
  },
  {
    name: 'no fence is lower than one that was given',
    sql: `
      SELECT 'session ' || l.session || ' has fence ' || s.fence || ', its lease ' || l.fence AS problem
      FROM lease l JOIN session s ON s.id = l.session WHERE l.fence <> s.fence
      UNION ALL
      SELECT 'session ' || t.session || ' has fence ' || s.fence || ', turn ' || t.id || ' had ' || t.fence
      FROM turn t JOIN session s ON s.id = t.session WHERE t.fence > s.fence`,
  },
  {
    name: 'a turn is settled exactly when it has ended',
    sql: `
      SELECT 'turn ' || id || ' is ' || status AS problem FROM turn
      WHERE (settled_ms IS NULL) <> (status IN ('queued', 'running', 'interrupted'))`,
  },
  {
    name: 'every turn has what was accepted',
    sql: `
      SELECT 'turn ' || t.id || ' has no message' AS problem FROM turn t JOIN session s ON s.id = t.session
      WHERE ${isSeen} AND NOT EXISTS (SELECT 1 FROM inbound i WHERE i.turn = t.position)`,
  },
  {
    name: 'a job that is switched off is not due',
    sql: `SELECT 'job ' || name_id || ' is due at ' || next_ms AS problem FROM job WHERE enabled = 0 AND next_ms IS NOT NULL`,
  },
  {
    name: 'the head of a session is its newest entry',
    sql: `
      SELECT 'session ' || s.id || ' has head ' || s.head AS problem
      FROM session s LEFT JOIN entry e ON e.transcript = s.transcript_id AND e.seq = s.head
      WHERE s.state <> 'removed' AND (
        EXISTS (SELECT 1 FROM entry n WHERE n.transcript = s.transcript_id AND n.seq > s.head)
        OR s.head_id IS NOT e.id OR s.shown_count <> coalesce(e.shown_count, 0)
        OR s.shown_tokens <> coalesce(e.shown_tokens, 0))`,
  },
  {
    name: 'the entries of a reply exist and are of its turn',
    sql: `
      SELECT 'turn ' || t.id || ' has an incomplete reply' AS problem
      FROM turn t JOIN transcript tr ON tr.session = t.session AND tr.number = t.transcript
      WHERE t.reply_from IS NOT NULL AND t.reply_to - t.reply_from + 1 <>
        (SELECT count(*) FROM entry e
         WHERE e.transcript = tr.id AND e.seq BETWEEN t.reply_from AND t.reply_to AND e.turn = t.position)
      UNION ALL
      SELECT 'turn ' || id || ' has a reply and is ' || status FROM turn WHERE reply_from IS NOT NULL AND status <> 'done'`,
  },
  {
    name: 'a turn that ended while it waited is in the transcript, unless others are before it',
    sql: `
      SELECT 'turn ' || t.id || ' is not in the transcript' AS problem FROM turn t
      WHERE t.unwritten = 1 AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.session = t.session) AND NOT EXISTS (
        SELECT 1 FROM turn w
        WHERE w.settled_ms IS NULL AND w.session = t.session AND w.status = 'queued' AND w.place < t.position)`,
  },
  {
    name: 'a summary covers entries that exist, and continues the one before it',
    sql: `
      SELECT 'summary ' || m.id || ' covers up to ' || m.upto_seq AS problem
      FROM summary m JOIN transcript tr ON tr.session = m.session AND tr.number = m.transcript
      WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.transcript = tr.id AND e.seq = m.upto_seq)
      UNION ALL
      SELECT 'summary ' || m.id || ' goes back behind its base' FROM summary m JOIN summary b ON b.id = m.base_id
      WHERE b.upto_seq >= m.upto_seq OR b.session <> m.session OR b.transcript <> m.transcript`,
  },
]

/** These read every entry. */
export const invariants: readonly Invariant[] = [
  ...quickInvariants,
  {
    name: 'what was accepted stands in the transcript of its turn, once',
    sql: `
      SELECT 'turn ' || t.id || ' has ' || t.accepted || ' messages, in the transcript ' || t.written AS problem FROM (
        SELECT t.id,
          (SELECT sum(json_array_length(i.tokens)) FROM inbound i WHERE i.turn = t.position) AS accepted,
          (SELECT count(*) FROM entry e
           WHERE e.transcript = tr.id AND e.seq BETWEEN t.asked_from AND t.asked_to AND e.turn = t.position) AS written
        FROM turn t JOIN session s ON s.id = t.session
          LEFT JOIN transcript tr ON tr.session = t.session AND tr.number = t.transcript
        WHERE t.unwritten = 0 AND t.status <> 'queued' AND ${isSeen}) t
      WHERE t.written <> t.accepted`,
  },
  {
    name: 'hidden ranges do not overlap, and end where the transcript does',
    sql: `
      SELECT 'transcript ' || transcript || ' hides ' || from_seq || ' to ' || to_seq AS problem FROM (
        SELECT transcript, from_seq, to_seq,
          lead(from_seq) OVER (PARTITION BY transcript ORDER BY from_seq) AS next
        FROM hidden WHERE transcript NOT IN (SELECT transcript FROM withheld)) h
      WHERE to_seq < from_seq OR to_seq >= next
        OR NOT EXISTS (SELECT 1 FROM entry e WHERE e.transcript = h.transcript AND e.seq = h.to_seq)`,
  },
  {
    name: 'what is referred to exists',
    // an entry's turn may have been taken out with a later transcript, in which it ended
    sql: `
      SELECT "table" || ' ' || rowid || ' refers to a missing ' || parent AS problem FROM pragma_foreign_key_check
      WHERE NOT ("table" = 'entry' AND parent = 'turn')`,
  },
  {
    name: 'every body that is stored once is referred to',
    sql: `
      SELECT 'blob ' || b.id || ' is nobody''s' AS problem FROM blob b
      WHERE NOT EXISTS (SELECT 1 FROM entry WHERE blob = b.id) AND NOT EXISTS (SELECT 1 FROM inbound WHERE blob = b.id)
        AND NOT EXISTS (SELECT 1 FROM turn WHERE instructions_blob = b.id)
        AND NOT EXISTS (SELECT 1 FROM turn WHERE params_blob = b.id)`,
  },
  {
    name: 'what is hidden is on its way out or back, and nothing else is hidden',
    sql: `
      SELECT 'transcript ' || tr.id || ' has number ' || tr.number AS problem FROM transcript tr
      WHERE (tr.number < 0) <> EXISTS (SELECT 1 FROM withheld w WHERE w.transcript = tr.id AND w.session = tr.session)
      UNION ALL
      SELECT 'transcript ' || tr.id || ' of a removed session is seen' FROM transcript tr
        JOIN session s ON s.id = tr.session
      WHERE s.state = 'removed' AND tr.number > 0
      UNION ALL
      SELECT 'session ' || s.id || ' has no current transcript' FROM session s
      WHERE s.state <> 'removed' AND NOT EXISTS (
        SELECT 1 FROM transcript tr WHERE tr.id = s.transcript_id AND tr.session = s.id AND tr.number = s.transcript)`,
  },
  {
    name: 'a session counts its entries and their bytes',
    sql: `
      SELECT 'session ' || s.id || ' counts ' || s.entries || ' entries and ' || s.bytes || ' bytes' AS problem
      FROM session s LEFT JOIN (
        SELECT tr.session, count(*) FILTER (WHERE tr.number > 0) AS entries,
          sum(e.bytes) FILTER (WHERE coalesce(w.counted, 1) = 1) AS bytes
        FROM entry e JOIN transcript tr ON tr.id = e.transcript LEFT JOIN withheld w ON w.transcript = tr.id
        GROUP BY tr.session) c ON c.session = s.id
      WHERE s.state <> 'removed' AND (s.entries <> coalesce(c.entries, 0) OR s.bytes <> coalesce(c.bytes, 0))`,
  },
  {
    name: 'the next number of every table is known',
    sql: `
      SELECT 'there is no counter for ' || t.value AS problem
      FROM json_each('["session", "transcript", "entry", "turn", "inbound", "delivery", "summary"]') t
      WHERE NOT EXISTS (SELECT 1 FROM counter c WHERE c.name = t.value)`,
  },
  {
    name: 'entries are gapless from 1',
    sql: `
      SELECT 'transcript ' || transcript || ' has ' || count(*) || ' entries from ' || min(seq) || ' to ' || max(seq) AS problem
      FROM ${entriesSeen} GROUP BY transcript HAVING min(seq) <> 1 OR max(seq) <> count(*)`,
  },
  {
    name: 'an entry names the one before it',
    sql: `
      SELECT 'entry ' || id || ' does not follow its parent' AS problem FROM (
        SELECT id, parent_id, lag(id) OVER (PARTITION BY transcript ORDER BY seq) AS before FROM ${entriesSeen})
      WHERE parent_id IS NOT before`,
  },
  {
    name: 'an entry has one body, and it is JSON',
    sql: `
      SELECT 'entry ' || id || ' has no readable body' AS problem FROM entry
      WHERE (body IS NULL) = (blob IS NULL) OR (body IS NOT NULL AND NOT json_valid(body))`,
  },
  {
    name: 'running counts of shown entries add up',
    sql: `
      SELECT 'entry ' || id || ' counts ' || shown_count || ' and ' || shown_tokens AS problem FROM (
        SELECT id, shown_count, shown_tokens,
          sum(kind <> 'event') OVER transcript_so_far AS count,
          sum(iif(kind <> 'event', tokens, 0)) OVER transcript_so_far AS tokens
        FROM ${entriesSeen} WINDOW transcript_so_far AS (PARTITION BY transcript ORDER BY seq))
      WHERE shown_count <> count OR shown_tokens <> tokens`,
  },
]
