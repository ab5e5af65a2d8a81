import type pg from 'pg'
import type { Holder } from '../../model/holders.ts'
import { quoted } from '../database/connection.ts'

/** From now on this gateway is known to live, until it ends or its renewals fail to come. */
export async function addHolder(client: pg.ClientBase, schema: string, holder: Holder): Promise<void> {
  const { id, host, bootId, pidNamespace, pid, startTicks, sinceMs } = holder
  await client.query(
    `INSERT INTO ${quoted(schema)}.holder (id, host, boot_id, pid_namespace, pid, start_ticks, since_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET renewed_at = clock_timestamp()`,
    [id, host, bootId, pidNamespace, pid, startTicks, sinceMs],
  )
}

/** It ended: others need not wait for its lease to run out. Where that cannot be said, they wait. */
export async function endHolder(pool: pg.Pool, schema: string, { id }: Holder): Promise<void> {
  try {
    await pool.query(`UPDATE ${quoted(schema)}.holder SET renewed_at = '-infinity' WHERE id = $1`, [id])
  } catch {
    // it lapses by itself
  }
}
