/** A holder that has not renewed for so long, by the clock of the database, has lapsed: others may take its sessions. Unit: ms. */
export const leaseTtlMs = 15_000

/** Two renewals in a row may fail before a lease lapses. Unit: ms. */
export const renewEveryMs = 5_000

/** Of a row of `holder` under this name. It compares two times of one clock; no gateway's clock takes part. */
export const hasLapsed = (holder: string): string =>
  `(${holder}.renewed_at < clock_timestamp() - INTERVAL '${leaseTtlMs} milliseconds')`
