const columns = `
  j.id AS row, j.name_id AS id, j.agent_id AS "agentId", j.name, j.schedule, j.time_zone AS "timeZone", j.missed, j.content,
  j.enabled, j.created_ms AS "createdAtMs", j.updated_ms AS "updatedAtMs", j.next_ms AS "nextAtMs",
  j.last_due_ms AS "lastDueAtMs", j.last_started_ms AS "lastStartedAtMs", j.last_turn AS "lastTurnId", t.status AS "lastStatus",
  j.missed_total AS "missedTotal", j.last_missed AS "lastMissed", j.forgotten_ms AS "forgottenAtMs"`
const from = 'FROM job j LEFT JOIN turn t ON t.id = j.last_turn'
const runs = 't.id IS NOT NULL AND t.settled_ms IS NULL'

export const jobSql = {
  byId: `SELECT ${columns} ${from} WHERE j.name_id = ?`,
  list: `SELECT ${columns} ${from} WHERE j.id > ? ORDER BY j.id LIMIT ? + 0`,
  count: 'SELECT count(*) AS count FROM job',
  due: `SELECT ${columns} ${from} WHERE j.next_ms <= ? AND NOT (${runs}) ORDER BY j.next_ms, j.id LIMIT ? + 0`,
  held: `SELECT count(*) AS count ${from} WHERE j.next_ms <= ? AND ${runs}`,
  nextDue: 'SELECT min(next_ms) AS "atMs" FROM job WHERE next_ms > ?',

  add: `
    INSERT INTO job (name_id, agent_id, name, schedule, time_zone, missed, content, enabled, created_ms, updated_ms, next_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)`,
  replace: `
    UPDATE job SET agent_id = ?2, name = ?3, schedule = ?4, time_zone = ?5, missed = ?6, content = ?7, enabled = ?8,
      updated_ms = ?9, next_ms = ?10
    WHERE name_id = ?1`,
  switchTo: 'UPDATE job SET enabled = ?2, next_ms = ?3, updated_ms = ?4 WHERE id = ?1',
  remove: 'DELETE FROM job WHERE id = ?',
  removeRuns: 'DELETE FROM job_run WHERE job = ?',

  /** ?1 row, ?2 next, ?3 count of missed ones, ?4 what was missed as JSON, or null to keep it */
  move: `
    UPDATE job SET next_ms = ?2, missed_total = missed_total + ?3, last_missed = coalesce(?4, last_missed) WHERE id = ?1`,
  started: `
    UPDATE job SET last_turn = ?2, last_started_ms = ?3, last_due_ms = coalesce(?4, last_due_ms) WHERE id = ?1`,

  runAt: 'SELECT turn FROM job_run WHERE job = ? AND due_ms = ?',
  addRun: 'INSERT INTO job_run (job, due_ms, turn) VALUES (?, ?, ?)',
  /** The newest that is beyond the number that is kept. */
  forgettable: 'SELECT due_ms AS "dueMs" FROM job_run WHERE job = ? ORDER BY due_ms DESC LIMIT 1 OFFSET ?',
  forgetRuns: 'DELETE FROM job_run WHERE job = ? AND due_ms <= ?',
  forget: 'UPDATE job SET forgotten_ms = max(forgotten_ms, ?2) WHERE id = ?1',
}
