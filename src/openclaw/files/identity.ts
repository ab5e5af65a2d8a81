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

/** A file as it was judged. It is taken only if it still is that. */
export interface Judged {
  /** Absolute. */
  path: string
  identity: Identity
  /** Known where it was read through; compared as well then. */
  sha256: string | null
}

export function identityOf(stat: BigIntStats): Identity {
  return { dev: stat.dev, ino: stat.ino, bytes: stat.size, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs }
}

export function sameIdentity(a: Identity, b: Identity): boolean {
  return sameButRenamed(a, b) && a.ctimeNs === b.ctimeNs
}

/** The same file with the same content time: a rename changes `ctimeNs` and nothing else. */
export function sameButRenamed(a: Identity, b: Identity): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.bytes === b.bytes && a.mtimeNs === b.mtimeNs
}

/** What a name stands for. `nameless`: its name is no UTF-8, so that it cannot be named to anybody. */
export type Standing = 'file' | 'directory' | 'link' | 'pipe' | 'socket' | 'device' | 'nameless'

export function standingOf(stat: BigIntStats): Standing {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'link'
  if (stat.isFIFO()) return 'pipe'
  return stat.isSocket() ? 'socket' : 'device'
}
