import type { BigIntStats } from 'node:fs'

/**
 * Which file it is and whether it is still what was looked at: a gateway that wrote, replaced or touched it meanwhile has changed
 * one of these. Times are nanoseconds since 1970; on file systems with coarser clocks a content hash is compared as well.
 */
export interface Identity {
  dev: bigint
  ino: bigint
  bytes: bigint
  mtimeNs: bigint
  ctimeNs: bigint
}

export function identityOf(stat: BigIntStats): Identity {
  return { dev: stat.dev, ino: stat.ino, bytes: stat.size, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs }
}

export function sameIdentity(a: Identity, b: Identity): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.bytes === b.bytes && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs
}
