import { lstatSync, realpathSync, statSync } from 'node:fs'
import { failureOfReading, isAbsent, unreadable } from './failure.ts'
import { type Identity, identityOf, type Standing, standingOf } from './identity.ts'

/** What a path leads to. */
export interface Followed {
  /** Absolute, without links. */
  path: string
  what: Standing
  identity: Identity
  uid: number
  /** Permission bits, `0o644`. */
  mode: number
}

/**
 * Follows links, which nothing else here does: for the places that people name. Null where nothing has this name.
 * @throws HoldfastError HOME_UNREADABLE, also for a link that leads nowhere
 */
export function follow(path: string): Followed | null {
  try {
    const real = realpathSync.native(path)
    const stat = statSync(real, { bigint: true })
    const { uid, mode } = stat
    return {
      path: real,
      what: standingOf(stat),
      identity: identityOf(stat),
      uid: Number(uid),
      mode: Number(mode & 0o7777n),
    }
  } catch (error) {
    if (!isAbsent(error)) throw failureOfReading(error, path)
    if (isLink(path)) throw unreadable(path, 'it is a link that leads nowhere')
    return null
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink()
  } catch (error) {
    if (isAbsent(error)) return false
    throw failureOfReading(error, path)
  }
}
