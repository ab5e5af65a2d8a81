/**
 * What was taken out, what is on its way out or back, and what remains of numbers that were given.
 *
 * A transcript leaves in one step: its row takes the number `-id` and `withheld` names it; a session that goes with it
 * gives up its key and becomes `removed`. Nothing that is read shows such rows. They are deleted in that transaction
 * where they are few, else by later ones. One that comes back is written in the same hiding place, and shown in one step.
 */
export const archiveTables = `
-- The last number that was given of each table, where rows were deleted. Changed by deletions only.
CREATE TABLE counter (
  name TEXT PRIMARY KEY,
  floor INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counter (name, floor)
VALUES ('session', 0), ('transcript', 0), ('entry', 0), ('turn', 0), ('inbound', 0), ('delivery', 0), ('summary', 0);

CREATE TABLE withheld (
  transcript INTEGER PRIMARY KEY REFERENCES transcript(id),
  session INTEGER NOT NULL REFERENCES session(id),
  number INTEGER NOT NULL,                        -- that it had, or is to have
  counted INTEGER NOT NULL,                       -- 1: the session's bytes still count its entries
  archived INTEGER,                               -- on its way back from there; null on its way out
  part INTEGER NOT NULL DEFAULT 0,                -- the next that is awaited
  header TEXT,                                    -- its first line
  counts TEXT,                                    -- JSON, of the records so far
  bytes INTEGER NOT NULL DEFAULT 0                -- of their bodies
);
CREATE INDEX withheld_number ON withheld(session, number);
CREATE UNIQUE INDEX withheld_archived ON withheld(archived) WHERE archived IS NOT NULL;

CREATE TABLE archived (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL,
  kind TEXT NOT NULL,
  transcript INTEGER NOT NULL,
  whole INTEGER NOT NULL,
  place TEXT NOT NULL,
  sweep TEXT NOT NULL,
  file TEXT NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  entries INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  taken_ms INTEGER NOT NULL,
  expires_ms INTEGER
);
CREATE INDEX archived_taken ON archived(taken_ms, id);
CREATE INDEX archived_key ON archived(key, transcript, sweep);
CREATE INDEX archived_place ON archived(place, length);
CREATE INDEX archived_sweep ON archived(sweep);
CREATE INDEX archived_expires ON archived(expires_ms) WHERE expires_ms IS NOT NULL;

ALTER TABLE tombstone ADD COLUMN transcript INTEGER NOT NULL DEFAULT 0; -- number of the last one

ALTER TABLE transcript ADD COLUMN ended_ms INTEGER; -- when the next one began
UPDATE transcript SET ended_ms =
  (SELECT min(n.started_ms) FROM transcript n WHERE n.session = transcript.session AND n.number > transcript.number);
CREATE INDEX transcript_ended ON transcript(ended_ms) WHERE ended_ms IS NOT NULL;

CREATE INDEX session_idle ON session(kind, active_ms)
  WHERE pinned = 0 AND running = 0 AND queued_turns = 0 AND state <> 'removed';
CREATE INDEX session_made ON session(kind, created_ms) WHERE state <> 'removed';

-- Who else refers to a body that may go.
CREATE INDEX entry_blob ON entry(blob) WHERE blob IS NOT NULL;
CREATE INDEX inbound_blob ON inbound(blob) WHERE blob IS NOT NULL;
CREATE INDEX turn_instructions ON turn(instructions_blob) WHERE instructions_blob IS NOT NULL;
CREATE INDEX turn_params ON turn(params_blob) WHERE params_blob IS NOT NULL;

-- Not unique any more: what comes back may carry a key that was used again since.
DROP INDEX inbound_dedupe;
CREATE INDEX inbound_dedupe ON inbound(session, dedupe) WHERE dedupe IS NOT NULL;
`
