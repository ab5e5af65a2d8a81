/** Afterwards `source.first_order` is the order of the first turn that can start, or null. */
const firstTurnWent = `
  UPDATE source SET
    first_order = (
      SELECT min(lane_order) FROM turn
      WHERE ready = 1 AND not_before_ms IS NULL AND lane = old.lane AND source = old.source),
    until = coalesce((SELECT starts FROM lane WHERE name = old.lane), 0)
  WHERE lane = old.lane AND source = old.source AND first_order = old.lane_order;`

/**
 * Who waits in which lane. A turn can start when it is ready and its window for more messages has closed; the triggers keep
 * `source` true to that, so that a claim reads the two ends of two indexes however many turns wait.
 */
export const laneTables = `
CREATE TABLE lane (
  name TEXT PRIMARY KEY,
  starts INTEGER NOT NULL                         -- turns started so far
) WITHOUT ROWID;

-- A row remains for a while when its source has no turn left that can start: it keeps its place if it has one again before
-- the lane's next start, and is as good as gone afterwards.
CREATE TABLE source (
  lane TEXT NOT NULL,
  source TEXT NOT NULL,
  since INTEGER NOT NULL,                         -- lane.starts when it was last served or, if that is later, began to wait
  first_order INTEGER,                            -- turn.lane_order of its first turn that can start; null when there is none
  until INTEGER NOT NULL DEFAULT 0,               -- lane.starts when a first turn of it last went
  PRIMARY KEY (lane, source)
) WITHOUT ROWID;
CREATE INDEX source_in_turn ON source(lane, since, first_order) WHERE first_order IS NOT NULL;
CREATE INDEX source_by_age ON source(lane, first_order) WHERE first_order IS NOT NULL;
CREATE INDEX source_gone ON source(lane, until) WHERE first_order IS NULL;

DROP INDEX turn_ready;
CREATE INDEX turn_ready ON turn(lane, source, lane_order) WHERE ready = 1 AND not_before_ms IS NULL;

CREATE TRIGGER turn_can_start AFTER UPDATE OF ready, not_before_ms ON turn
WHEN new.ready = 1 AND new.not_before_ms IS NULL AND (old.ready = 0 OR old.not_before_ms IS NOT NULL)
BEGIN
  INSERT INTO source (lane, source, since, first_order)
  VALUES (new.lane, new.source, coalesce((SELECT starts FROM lane WHERE name = new.lane), 0), new.lane_order)
  ON CONFLICT (lane, source) DO UPDATE SET
    since = CASE WHEN first_order IS NULL AND until < excluded.since THEN excluded.since ELSE since END,
    first_order = min(coalesce(first_order, excluded.first_order), excluded.first_order);
END;

CREATE TRIGGER turn_cannot_start AFTER UPDATE OF ready, not_before_ms ON turn
WHEN old.ready = 1 AND old.not_before_ms IS NULL AND (new.ready = 0 OR new.not_before_ms IS NOT NULL)
BEGIN${firstTurnWent}
END;

CREATE TRIGGER turn_is_deleted AFTER DELETE ON turn WHEN old.ready = 1 AND old.not_before_ms IS NULL
BEGIN${firstTurnWent}
END;

INSERT INTO source (lane, source, since, first_order)
SELECT lane, source, 0, min(lane_order) FROM turn WHERE ready = 1 AND not_before_ms IS NULL GROUP BY lane, source;

ALTER TABLE lease ADD COLUMN source TEXT NOT NULL DEFAULT ''; -- of its turn
UPDATE lease SET source = (SELECT source FROM turn WHERE position = lease.turn);
CREATE INDEX lease_running ON lease(holder, lane, source);
`
