export const metaSql = {
  set: 'INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2',
  value: 'SELECT value FROM meta WHERE name = ?',
}

export const statisticsSql = {
  sessions: `
    SELECT count(*) AS sessions, coalesce(sum(state = 'archived'), 0) AS archived, coalesce(sum(entries), 0) AS entries
    FROM session`,
  lanes: `
    SELECT lane, sum(status = 'queued') AS queued, sum(status = 'running') AS running,
      sum(status = 'interrupted') AS interrupted, min(CASE WHEN status = 'queued' THEN queued_ms END) AS oldestQueuedAtMs
    FROM turn WHERE settled_ms IS NULL GROUP BY lane`,
  blobs: 'SELECT coalesce(sum(stored), 0) AS bytes FROM blob',
}
