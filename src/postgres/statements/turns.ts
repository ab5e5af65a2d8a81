import { windowMaxMs } from '../../model/turns.ts'
import { inboundSql, turnSql } from '../../relational/statements/turns.ts'
import type { Words } from './own.ts'

/** From one end of the index, whatever its range is thought to hold. What is held is only what is due. */
const due = (when: string, order: 'ASC' | 'DESC'): string => `
  SELECT position FROM turn WHERE not_before_ms ${when} AND position = ANY(ARRAY(
    SELECT position FROM turn WHERE not_before_ms IS NOT NULL ORDER BY not_before_ms ${order} LIMIT ?2 + 0))
  FOR UPDATE SKIP LOCKED`

export const turnWords: Words = [
  // what another gateway closes at the same time is its business
  [
    turnSql.due,
    `UPDATE turn SET not_before_ms = NULL
     WHERE position = ANY(ARRAY(
       SELECT * FROM (${due('<= ?1', 'ASC')}) now UNION ALL SELECT * FROM (${due(`> ?1 + ${windowMaxMs}`, 'DESC')}) put_off))`,
  ],
  [
    turnSql.cancelledByReset,
    `SELECT id FROM turn
     WHERE session = ?1 AND status = 'cancelled' AND settled_ms = ?2 AND CAST(outcome AS JSONB) -> 'facts' ->> 'by' = 'reset'`,
  ],
  [
    inboundSql.tokensOfTurn,
    `SELECT coalesce(sum(CAST(each.value AS BIGINT)), 0) AS tokens
     FROM inbound i CROSS JOIN LATERAL jsonb_array_elements_text(CAST(i.tokens AS JSONB)) each(value) WHERE i.turn = ?`,
  ],
]
