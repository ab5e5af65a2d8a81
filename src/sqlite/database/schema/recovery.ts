export const recoveryTables = `
ALTER TABLE turn ADD COLUMN handed_over INTEGER NOT NULL DEFAULT 0; -- attempts that a clean end cut short
ALTER TABLE turn ADD COLUMN released_as TEXT;      -- the turn that was let out of quarantine in its place
CREATE INDEX turn_quarantined ON turn(position) WHERE status = 'quarantined' AND released_as IS NULL;

-- Starts of processes that run turns; the newest hundred.
CREATE TABLE start (
  n INTEGER PRIMARY KEY,
  holder TEXT NOT NULL UNIQUE,
  pid INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  ended_ms INTEGER,                               -- null while it runs, and when it ended without saying so
  unclean INTEGER NOT NULL                        -- 1: it found its predecessor without a clean end
);
`
