export const metaSql = {
  set: 'INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2',
  value: 'SELECT value FROM meta WHERE name = ?',
  drop: 'DELETE FROM meta WHERE name = ?',
}

/** In `meta`: something was deleted for good, and `scrub` has not ended since. */
export const unscrubbed = 'unscrubbed'

export const statisticsSql = {
  sessions: `
    SELECT count(*) AS sessions, coalesce(sum(state = 'archived'), 0) AS archived, coalesce(sum(entries), 0) AS entries
    FROM session WHERE state <> 'removed'`,
  /** From an index alone, without comparing rows: a queue of 100,000 takes a few milliseconds. ?1 lanes, as JSON */
  lanes: `
    SELECT lane.value AS lane,
      (SELECT count(*) FROM turn WHERE settled_ms IS NULL AND lane = lane.value AND status = 'queued') AS queued,
      (SELECT min(queued_ms) FROM turn
       WHERE settled_ms IS NULL AND lane = lane.value AND status = 'queued') AS "oldestQueuedAtMs",
      (SELECT count(*) FROM turn WHERE settled_ms IS NULL AND lane = lane.value AND status = 'running') AS running,
      (SELECT count(*) FROM turn
       WHERE settled_ms IS NULL AND lane = lane.value AND status = 'interrupted') AS interrupted
    FROM json_each(?1) lane`,
  blobs: 'SELECT coalesce(sum(stored), 0) AS bytes FROM blob',
}
