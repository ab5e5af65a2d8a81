/** A holder that has not renewed for so long, by the clock of the database, has lapsed: others may take its sessions. Unit: ms. */
const leaseTtlMs = 15_000

/** Two renewals in a row may fail before a lease lapses. Unit: ms. */
export const renewEveryMs = 5_000

/** After a renewal that failed, or found that the main thread stands still. Unit: ms. */
export const renewAgainMs = 1_000

/** A renewal without an answer is given up, so that another is tried before the lease has lapsed. Unit: ms. */
export const renewLimitMs = 4_000

/** Of a row of `holder` under this name. It compares two times of one clock; no gateway's clock takes part. */
export const hasLapsed = (holder: string): string =>
  `(${holder}.renewed_at < clock_timestamp() - INTERVAL '${leaseTtlMs} milliseconds')`
