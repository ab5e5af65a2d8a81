import { statisticsSql } from '../../relational/statements/upkeep.ts'
import { first, type Steps } from '../../relational/steps.ts'
import type { StoreStatistics } from '../../store/upkeep.ts'

const sizeSql = `
  SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')`

/** What the schema takes. The server's disk and log are its own business: they are not seen from here, and count as endless. */
export function* bytesOf(): Steps<StoreStatistics['bytes']> {
  const { bytes } = (yield* first<{ bytes: number }>(sizeSql)) as { bytes: number }
  const blobs = (yield* first<{ bytes: number }>(statisticsSql.blobs))?.bytes ?? 0
  return { database: bytes, log: 0, free: 0, blobs, diskFree: Number.MAX_SAFE_INTEGER }
}
