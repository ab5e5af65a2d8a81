import { keepFloors } from '../../relational/statements/ids.ts'
import { statisticsSql } from '../../relational/statements/upkeep.ts'
import type { Words } from './own.ts'

const inLane = (what: string, status: string): string =>
  `(SELECT ${what} FROM turn t WHERE t.settled_ms IS NULL AND t.lane = lane.value AND t.status = '${status}')`

export const upkeepWords: Words = [
  [keepFloors, []], // sequences never fall
  [
    statisticsSql.sessions,
    `SELECT count(*) AS sessions, count(*) FILTER (WHERE state = 'archived') AS archived, coalesce(sum(entries), 0) AS entries
     FROM session WHERE state <> 'removed'`,
  ],
  [
    statisticsSql.lanes,
    `SELECT lane.value AS lane, ${inLane('count(*)', 'queued')} AS queued, ${inLane('min(t.queued_ms)', 'queued')} AS "oldestQueuedAtMs",
       ${inLane('count(*)', 'running')} AS running, ${inLane('count(*)', 'interrupted')} AS interrupted
     FROM jsonb_array_elements_text(CAST(?1 AS JSONB)) WITH ORDINALITY lane(value, place) ORDER BY lane.place`,
  ],
]
