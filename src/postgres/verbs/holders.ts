import { all, first, run, type Steps } from '../../relational/steps.ts'
import type { LivingHolder } from '../../store/holders.ts'
import { hasLapsed } from '../database/lease.ts'

/** What gateways tell each other through the database, by its clock. */
const holderSql = {
  announce: 'UPDATE holder SET address = ?2, token = ?3 WHERE id = ?1',
  living: `
    SELECT id, host, boot_id AS "bootId", pid_namespace AS "pidNamespace", pid, start_ticks AS "startTicks",
      since_ms AS "sinceMs", address, token,
      CAST(extract(epoch FROM now() - renewed_at) * 1000 AS BIGINT) AS "renewedMsAgo"
    FROM holder WHERE NOT ${hasLapsed('holder')} ORDER BY since_ms, id`,
  /** Whoever has it keeps it while it lives. */
  takeDuty: `
    INSERT INTO duty AS d (name, holder) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder
    WHERE d.holder = excluded.holder OR NOT EXISTS (SELECT 1 FROM holder h WHERE h.id = d.holder AND NOT ${hasLapsed('h')})
    RETURNING name`,
}

export function* announce(input: { holderId: string; address: string | null; token: string | null }): Steps<void> {
  yield* run(holderSql.announce, input.holderId, input.address, input.token)
}

export function* listHolders(): Steps<LivingHolder[]> {
  return yield* all<LivingHolder>(holderSql.living)
}

export function* takeDuty(input: { duty: string; holderId: string }): Steps<boolean> {
  return (yield* first(holderSql.takeDuty, input.duty, input.holderId)) !== undefined
}
