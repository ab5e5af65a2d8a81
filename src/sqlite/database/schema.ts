import { archiveTables } from './schema/archives.ts'
import { jobTables } from './schema/jobs.ts'
import { laneTables } from './schema/lanes.ts'
import { recoveryTables } from './schema/recovery.ts'

/**
 * The format of `holdfast.sqlite`.
 *
 * Reading it from another program: open it read-only through SQLite 3.51.3 or newer (never copy the file of a running
 * gateway, use `holdfast backup`), and read the views `v_session`, `v_entry`, `v_turn`: their columns keep name and
 * meaning over all schema versions; columns may be added. Tables may change with every version.
 *
 * Bodies over 32 KB, and instructions and params over 1 KB, are in `blob`, once for each content: JSON in UTF-8,
 * compressed with zstd, named by the SHA-256 of the JSON. A view gives them as `body_zstd`, with `body` null.
 *
 * Crash rules: WAL with synchronous=FULL, so a transaction that was answered is on disk, and one that was not is there
 * wholly or not at all. Every verb is one transaction or a part of a larger one, so every committed state satisfies the
 * invariants that `verify` checks. What is deleted is overwritten (`secure_delete`), and freed pages are zeroed; copies that were
 * moved within the file while pages were split or joined go with `scrub`. Times are milliseconds since the epoch; tokens are the meter's, uncorrected.
 */

/**
 * Version 2 adds, each part in a file of `schema/`: who waits in which lane, starts of the process, scheduled jobs, and what
 * retention has taken out.
 */
export const tablesOfVersion2 = [laneTables, recoveryTables, jobTables, archiveTables].join('\n')

/** "HOLD": names the file as ours, also for file(1). */
export const applicationId = 0x484f4c44

export const tables = `
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL            -- JSON
) WITHOUT ROWID;

CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  agent_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open',
  title TEXT,
  pinned INTEGER NOT NULL DEFAULT 0,
  transcript INTEGER NOT NULL DEFAULT 1,          -- number of the current one
  transcript_id INTEGER NOT NULL,                 -- its row
  head INTEGER NOT NULL DEFAULT 0,                -- seq of its newest entry
  head_id TEXT,                                   -- id of that entry
  shown_count INTEGER NOT NULL DEFAULT 0,         -- as entry.shown_count at the head; 0 while it is empty
  shown_tokens INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0,               -- grows by one when the session is taken; never falls
  context_tokens INTEGER NOT NULL DEFAULT 0,
  meter_ratio REAL NOT NULL DEFAULT 1,
  entries INTEGER NOT NULL DEFAULT 0,             -- of all transcripts
  bytes INTEGER NOT NULL DEFAULT 0,               -- of their bodies, before compression
  turns_total INTEGER NOT NULL DEFAULT 0,
  queued_turns INTEGER NOT NULL DEFAULT 0,
  running INTEGER NOT NULL DEFAULT 0,             -- 1 while there is a lease
  created_ms INTEGER NOT NULL,
  active_ms INTEGER NOT NULL,                     -- admission, settling, reset; appends leave it, to spare the index
  archived_ms INTEGER
);
CREATE INDEX session_active ON session(state, active_ms, id);

CREATE TABLE transcript (
  id INTEGER PRIMARY KEY,
  session INTEGER NOT NULL REFERENCES session(id),
  number INTEGER NOT NULL,
  started_ms INTEGER NOT NULL,
  reset_reason TEXT,                              -- why it was begun; null for the first
  head INTEGER,                                   -- set when the next one begins
  UNIQUE (session, number)
);

-- Never rewritten. n is the order of writing over the whole store.
CREATE TABLE entry (
  n INTEGER PRIMARY KEY,
  transcript INTEGER NOT NULL REFERENCES transcript(id),
  seq INTEGER NOT NULL,                           -- gapless from 1
  id TEXT NOT NULL UNIQUE,
  parent_id TEXT,
  turn INTEGER REFERENCES turn(position),
  attempt INTEGER NOT NULL,
  kind TEXT NOT NULL,
  body TEXT,                                      -- JSON; null when it is in blob
  blob INTEGER REFERENCES blob(id),
  bytes INTEGER NOT NULL,                         -- of the JSON in UTF-8
  tokens INTEGER NOT NULL,
  shown_count INTEGER NOT NULL,                   -- entries up to and with this one whose kind the model is shown
  shown_tokens INTEGER NOT NULL,                  -- and their tokens; so a range is a difference, not a scan
  at_ms INTEGER NOT NULL,
  UNIQUE (transcript, seq)
);

-- Ranges that the model is not shown, though their kinds are: what earlier attempts wrote, turns that the model refused or
-- that ended while they waited. They do not overlap.
CREATE TABLE hidden (
  transcript INTEGER NOT NULL REFERENCES transcript(id),
  from_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL,
  count INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  PRIMARY KEY (transcript, from_seq)
) WITHOUT ROWID;

CREATE TABLE blob (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,                      -- SHA-256 of the JSON
  bytes INTEGER NOT NULL,                         -- of the JSON
  stored INTEGER NOT NULL,                        -- compressed
  body BLOB NOT NULL                              -- zstd
);
CREATE INDEX blob_stored ON blob(stored);

CREATE TABLE turn (
  position INTEGER PRIMARY KEY,                   -- order of admission
  id TEXT NOT NULL UNIQUE,
  session INTEGER NOT NULL REFERENCES session(id),
  lane TEXT NOT NULL,
  source TEXT NOT NULL,
  status TEXT NOT NULL,
  place INTEGER NOT NULL,                         -- order within the session: position; lower when it was put first, higher when run again
  lane_order INTEGER NOT NULL,                    -- order within the lane, over sessions
  ready INTEGER NOT NULL DEFAULT 0,               -- 1: nothing of its own session stands before it
  not_before_ms INTEGER,                          -- set while it waits for more messages
  coalesce_until_ms INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  fence INTEGER,                                  -- of the last attempt
  holder TEXT REFERENCES holder(id),              -- of the last attempt
  settled_fence INTEGER,                          -- under which its holder settled it; null when others ended it
  blocked_by TEXT,
  admitted_ms INTEGER NOT NULL,
  queued_ms INTEGER NOT NULL,                     -- admitted or queued again
  ready_ms INTEGER,
  started_ms INTEGER,
  progress_ms INTEGER,
  interrupted_ms INTEGER,
  settled_ms INTEGER,
  cancel_requested TEXT,
  outcome TEXT,                                   -- ErrorRecord as JSON
  finish_reason TEXT,
  usage TEXT,                                     -- JSON
  transcript INTEGER,                             -- number, of what follows
  asked_from INTEGER,                             -- seq range of its own messages
  asked_to INTEGER,
  attempt_from INTEGER,                           -- seq range of what the last attempt wrote; attempt_to is set when it ends
  attempt_to INTEGER,
  unwritten INTEGER NOT NULL DEFAULT 0,           -- 1: it ended while it waited, and the transcript does not say so yet
  reply_from INTEGER,
  reply_to INTEGER,
  streaming INTEGER NOT NULL,
  deliver_to TEXT,                                -- JSON; null where nothing was said
  instructions TEXT,                              -- JSON; null when it is in the blob beside
  instructions_blob INTEGER REFERENCES blob(id),
  params TEXT,
  params_blob INTEGER REFERENCES blob(id)
);
CREATE INDEX turn_session ON turn(session);
CREATE INDEX turn_open ON turn(session, status, place) WHERE settled_ms IS NULL;
CREATE INDEX turn_lane ON turn(lane, status, queued_ms, settled_ms) WHERE settled_ms IS NULL;
CREATE INDEX turn_unwritten ON turn(session, position) WHERE unwritten = 1;
CREATE INDEX turn_ready ON turn(lane, lane_order) WHERE ready = 1 AND not_before_ms IS NULL;
CREATE INDEX turn_due ON turn(not_before_ms) WHERE not_before_ms IS NOT NULL;

-- One accepted message each; a coalesced turn has several.
CREATE TABLE inbound (
  id INTEGER PRIMARY KEY,
  turn INTEGER NOT NULL REFERENCES turn(position),
  session INTEGER NOT NULL REFERENCES session(id),
  admission TEXT NOT NULL UNIQUE,                 -- the turn id that was given with it; not the turn's when it was coalesced
  dedupe TEXT,
  digest TEXT NOT NULL,
  interrupted TEXT,                               -- the turn that it asked to stop
  messages TEXT,                                  -- JSON; null when it is in blob
  blob INTEGER REFERENCES blob(id),
  bytes INTEGER NOT NULL,
  tokens TEXT NOT NULL,                           -- JSON, one number for each message
  at_ms INTEGER NOT NULL
);
CREATE INDEX inbound_turn ON inbound(turn);
CREATE UNIQUE INDEX inbound_dedupe ON inbound(session, dedupe) WHERE dedupe IS NOT NULL;

CREATE TABLE holder (
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  boot_id TEXT,
  pid_namespace TEXT,
  pid INTEGER NOT NULL,
  start_ticks INTEGER,
  since_ms INTEGER NOT NULL
);

CREATE TABLE lease (
  session INTEGER PRIMARY KEY REFERENCES session(id),
  turn INTEGER NOT NULL REFERENCES turn(position),
  fence INTEGER NOT NULL,
  operation TEXT NOT NULL,
  lane TEXT NOT NULL,
  holder TEXT NOT NULL REFERENCES holder(id),
  claim TEXT NOT NULL UNIQUE,                     -- names the call that took it, so that its repeat finds it
  taken_ms INTEGER NOT NULL,
  progress_ms INTEGER NOT NULL,
  progress_note TEXT NOT NULL DEFAULT ''
);

CREATE TABLE summary (
  id INTEGER PRIMARY KEY,
  session INTEGER NOT NULL REFERENCES session(id),
  transcript INTEGER NOT NULL,
  base_id INTEGER REFERENCES summary(id),
  upto_seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  replaced_tokens INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  undone_ms INTEGER
);
CREATE INDEX summary_session ON summary(session, transcript);

CREATE TABLE delivery (
  id INTEGER PRIMARY KEY,
  turn INTEGER NOT NULL REFERENCES turn(position),
  target TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_ms INTEGER NOT NULL,
  claim TEXT,
  error TEXT,
  UNIQUE (turn, target)
);
CREATE INDEX delivery_due ON delivery(next_ms) WHERE status = 'pending';
CREATE INDEX delivery_sending ON delivery(id) WHERE status = 'sending';

-- What remains of a deleted session: its fence, so that a new one under the same key goes on from there.
CREATE TABLE tombstone (
  key_hash BLOB PRIMARY KEY,
  fence INTEGER NOT NULL
) WITHOUT ROWID;
`

export const views = `
CREATE VIEW v_session AS
  SELECT key, agent_id, kind, state, title, pinned, transcript, head, fence, context_tokens, turns_total, queued_turns,
    running, created_ms, active_ms, archived_ms
  FROM session WHERE state <> 'removed';

CREATE VIEW v_entry AS
  SELECT s.key AS session_key, t.number AS transcript, e.seq, e.id, e.parent_id, turn.id AS turn_id, e.attempt, e.kind,
    e.body, b.body AS body_zstd, e.bytes, e.tokens, e.at_ms
  FROM entry e
    JOIN transcript t ON t.id = e.transcript
    JOIN session s ON s.id = t.session
    LEFT JOIN turn ON turn.position = e.turn
    LEFT JOIN blob b ON b.id = e.blob
  WHERE t.number > 0;

CREATE VIEW v_turn AS
  SELECT t.position, t.id, s.key AS session_key, t.lane, t.source, t.status, t.attempts, t.admitted_ms, t.started_ms,
    t.settled_ms, t.cancel_requested, t.outcome, t.finish_reason, t.usage, t.transcript, t.reply_from, t.reply_to
  FROM turn t JOIN session s ON s.id = t.session
  WHERE s.state <> 'removed'
    AND NOT EXISTS (SELECT 1 FROM withheld w WHERE w.session = t.session AND w.number = t.transcript);
`
