/**
 * Afterwards `source.first_order` is the order of the first turn that can start, or null. The row is held first, by a statement of its own:
 * the next one then sees what every transaction before it has committed. An update that waits for the row would go on with turns as they
 * were before, and lose one that became ready meanwhile.
 */
const firstTurnWent = `
  PERFORM 1 FROM source s WHERE s.lane = old.lane AND s.source = old.source FOR UPDATE;
  UPDATE source s SET
    first_order = (
      SELECT min(t.lane_order) FROM turn t
      WHERE t.ready = 1 AND t.not_before_ms IS NULL AND t.lane = old.lane AND t.source = old.source),
    until = starts_of(old.lane)
  WHERE s.lane = old.lane AND s.source = old.source AND s.first_order = old.lane_order;`

/**
 * Who waits in which lane; a trigger keeps `source` true, as in SQLite. How many turns a lane has started is a sequence for each lane: a
 * row that every claim counts up would let them through one by one. A claim that was taken back counts as well, which moves nobody
 * out of turn for longer than one start.
 */
export const laneTables = `
CREATE SEQUENCE starts_main MINVALUE 0 START 1;
CREATE SEQUENCE starts_subagent MINVALUE 0 START 1;
CREATE SEQUENCE starts_cron MINVALUE 0 START 1;
CREATE SEQUENCE starts_resume MINVALUE 0 START 1;
CREATE SEQUENCE starts_background MINVALUE 0 START 1;

CREATE FUNCTION starts_of(lane VARCHAR) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE starts BIGINT;
BEGIN
  EXECUTE format('SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM %I', 'starts_' || lane) INTO starts;
  RETURN starts;
END $$;

-- A row remains for a while when its source has no turn left that can start: it keeps its place if it has one again before
-- the lane's next start, and is as good as gone afterwards.
CREATE TABLE source (
  lane TEXT NOT NULL,
  source TEXT NOT NULL,
  since BIGINT NOT NULL,                          -- starts of the lane when it was last served or, if that is later, began to wait
  first_order BIGINT,                             -- turn.lane_order of its first turn that can start; null when there is none
  until BIGINT NOT NULL DEFAULT 0,                -- starts of the lane when a first turn of it last went
  PRIMARY KEY (lane, source)
);
CREATE INDEX source_in_turn ON source(lane, since, first_order) WHERE first_order IS NOT NULL;
CREATE INDEX source_by_age ON source(lane, first_order) WHERE first_order IS NOT NULL;
CREATE INDEX source_gone ON source(lane, until) WHERE first_order IS NULL;

CREATE FUNCTION turn_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  could BOOLEAN := old.ready = 1 AND old.not_before_ms IS NULL;
  can BOOLEAN := tg_op = 'UPDATE' AND new.ready = 1 AND new.not_before_ms IS NULL;
BEGIN
  IF could AND NOT can THEN${firstTurnWent}
  ELSIF can AND NOT could THEN
    INSERT INTO source AS s (lane, source, since, first_order)
    VALUES (new.lane, new.source, starts_of(new.lane), new.lane_order)
    ON CONFLICT (lane, source) DO UPDATE SET
      since = CASE WHEN s.first_order IS NULL AND s.until < excluded.since THEN excluded.since ELSE s.since END,
      first_order = least(coalesce(s.first_order, excluded.first_order), excluded.first_order);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER turn_can_start AFTER UPDATE OF ready, not_before_ms OR DELETE ON turn
FOR EACH ROW EXECUTE FUNCTION turn_changed();
`
