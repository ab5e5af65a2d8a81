import { randomUUID } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readTextIfPresent } from '../host/files.ts'

/** Who has the data directory, for people and for commands. Never used to decide: the lock decides. */
export interface Owner {
  pid: number
  sinceMs: number
  host: string
  /** `http://127.0.0.1:4747`; null until the gateway listens. */
  address: string | null
  /** The path of the socket for commands on this machine. */
  socket: string | null
  version: string
}

const ownerName = 'owner.json'

/** Null when nobody has it, or when what is there cannot be read as an owner: it is information only. */
export function readOwner(directory: string): Owner | null {
  const text = readTextIfPresent(join(directory, ownerName))
  if (text === null) return null
  try {
    const parsed: unknown = JSON.parse(text)
    return isOwner(parsed) ? parsed : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function isOwner(parsed: unknown): parsed is Owner {
  return typeof parsed === 'object' && parsed !== null && 'pid' in parsed && typeof parsed.pid === 'number'
}

/** Called by the owner only. Replaced as a whole, so that a reader never sees half of it. */
export function writeOwner(directory: string, owner: Owner): void {
  const path = join(directory, ownerName)
  const fresh = `${path}.${randomUUID()}`
  writeFileSync(fresh, `${JSON.stringify(owner)}\n`, { mode: 0o600, flag: 'wx' })
  renameSync(fresh, path)
}

/** Adds where the owner listens. The caller is the owner. */
export function writeOwnerAddress(directory: string, where: Pick<Owner, 'address' | 'socket'>): void {
  const owner = readOwner(directory)
  if (owner !== null) writeOwner(directory, { ...owner, ...where })
}

export function removeOwner(directory: string): void {
  rmSync(join(directory, ownerName), { force: true })
}
