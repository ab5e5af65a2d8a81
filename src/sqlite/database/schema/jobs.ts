export const jobTables = `
CREATE TABLE job (
  id INTEGER PRIMARY KEY,                         -- order in which they were made
  name_id TEXT NOT NULL UNIQUE,                   -- its id for everybody else
  agent_id TEXT NOT NULL,
  name TEXT NOT NULL,
  schedule TEXT NOT NULL,                         -- a cron expression
  time_zone TEXT NOT NULL,
  missed TEXT NOT NULL,
  content TEXT NOT NULL,                          -- JSON: messages, instructions, params, deliverTo
  enabled INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  next_ms INTEGER,                                -- the next due time that was not dealt with; null while it is switched off
  last_due_ms INTEGER,
  last_started_ms INTEGER,
  last_turn TEXT,                                 -- a turn's id; the turn may be gone
  missed_total INTEGER NOT NULL DEFAULT 0,
  last_missed TEXT,                               -- JSON
  forgotten_ms INTEGER NOT NULL DEFAULT 0         -- due times up to here count as started
);
CREATE INDEX job_due ON job(next_ms) WHERE next_ms IS NOT NULL;

-- Due times that were started, so that none is started twice, whatever the clock does.
CREATE TABLE job_run (
  job INTEGER NOT NULL REFERENCES job(id),
  due_ms INTEGER NOT NULL,
  turn TEXT NOT NULL,                             -- its id; the turn may be gone
  PRIMARY KEY (job, due_ms)
) WITHOUT ROWID;
`
