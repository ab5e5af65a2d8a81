export const recoveryTables = `
CREATE INDEX turn_quarantined ON turn(position) WHERE status = 'quarantined' AND released_as IS NULL;

-- Starts of processes that run turns; the newest hundred.
CREATE TABLE start (
  n BIGINT PRIMARY KEY,
  holder TEXT NOT NULL UNIQUE,
  pid BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  ended_ms BIGINT,                               -- null while it runs, and when it ended without saying so
  unclean BIGINT NOT NULL                        -- 1: it found its predecessor without a clean end
);
`
