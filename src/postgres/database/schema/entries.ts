/** How entries are dealt out to tables of their own. */
export interface Partitions {
  /** Tables of each span, over which transcripts are spread by a hash. */
  count: number
  /** Transcripts that begin one after the other and share such tables: a stretch of time. */
  span: number
}

/**
 * All entries of a transcript are in one partition: its number is what both levels go by. So its order is enforced by a key as in one table;
 * an id is known once in its transcript, and in one table once in the store.
 */
export const entryTable = (isPartitioned: boolean): string => `
-- Never rewritten. n is the order of writing over the whole store.
CREATE TABLE entry (
  n BIGINT ${isPartitioned ? 'NOT NULL' : 'PRIMARY KEY'},
  transcript BIGINT NOT NULL,
  seq BIGINT NOT NULL,                           -- gapless from 1
  id TEXT NOT NULL${isPartitioned ? '' : ' UNIQUE'},
  parent_id TEXT,
  turn BIGINT,
  attempt BIGINT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT,                                      -- JSON; null when it is in blob
  blob BIGINT,
  bytes BIGINT NOT NULL,                         -- of the JSON in UTF-8
  tokens BIGINT NOT NULL,
  shown_count BIGINT NOT NULL,                   -- entries up to and with this one whose kind the model is shown
  shown_tokens BIGINT NOT NULL,                  -- and their tokens; so a range is a difference, not a scan
  at_ms BIGINT NOT NULL,
  UNIQUE (transcript, seq)${isPartitioned ? ',\n  UNIQUE (transcript, id)' : ''}
)${isPartitioned ? ' PARTITION BY RANGE (transcript)' : ''};
${isPartitioned ? 'CREATE INDEX entry_n ON entry(n);\nCREATE INDEX entry_id ON entry(id);' : ''}`

/** What is made with the table: the first spans, and a place for all that no span is there for. */
export const firstPartitions = (partitions: Partitions): string =>
  [
    'CREATE TABLE entry_rest PARTITION OF entry DEFAULT;',
    ...[0, 1].map((number) => spanTable(number, partitions)),
    `INSERT INTO meta (name, value) VALUES ('partitions', '${JSON.stringify(partitions)}');`,
  ].join('\n')

export const spanName = (number: number): string => `entry_${number}`

/** The tables of one span. */
export function spanTable(number: number, { count, span }: Partitions): string {
  const name = spanName(number)
  const parts = Array.from({ length: count }, (_, at) => at)
  return [
    `CREATE TABLE ${name} PARTITION OF entry FOR VALUES FROM (${number * span}) TO (${(number + 1) * span}) PARTITION BY HASH (transcript);`,
    ...parts.map(
      (at) => `CREATE TABLE ${name}_${at} PARTITION OF ${name} FOR VALUES WITH (MODULUS ${count}, REMAINDER ${at});`,
    ),
  ].join('\n')
}
