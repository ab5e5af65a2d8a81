import { deliveryWaitMaxMs } from '../../model/holders.ts'
import { deliverySql } from '../../relational/statements/deliveries.ts'
import { hasLapsed } from '../database/lease.ts'
import type { Words } from './own.ts'

export const deliveryWords: Words = [
  [
    deliverySql.add,
    `INSERT INTO delivery (id, turn, target, status, next_ms)
     SELECT nextval('delivery_number'), t.position, target.value, 'pending', CAST(?2 AS BIGINT)
     FROM turn t CROSS JOIN LATERAL jsonb_array_elements_text(CAST(t.deliver_to AS JSONB)) WITH ORDINALITY target(value, place)
     WHERE t.position = ?1 ORDER BY target.place
     ON CONFLICT DO NOTHING`,
  ],
  // only what a gateway that has ended was sending; its claims are named after it
  [
    deliverySql.markUnknown,
    `UPDATE delivery SET status = 'unknown', claim = NULL
     WHERE status = 'sending' AND NOT EXISTS (
       SELECT 1 FROM holder h WHERE h.id = split_part(delivery.claim, ' ', 1) AND NOT ${hasLapsed('h')})`,
  ],
  // each gateway takes one that no other is just taking
  [
    deliverySql.due,
    `SELECT id FROM delivery
     WHERE status = 'pending' AND (next_ms <= ?1 OR next_ms > ?1 + ${deliveryWaitMaxMs})
     ORDER BY next_ms, id LIMIT 1 FOR UPDATE SKIP LOCKED`,
  ],
]
