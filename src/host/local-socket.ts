import { lstatSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { HoldfastError } from '../model/errors.ts'
import { isSystemError, makeDirectory } from './files.ts'
import { sha256 } from './random.ts'

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, the closing zero included; Node cuts longer ones silently. */
const pathBytesMax = 100

/**
 * Where the API for commands on this machine listens: in the data directory, or, when that path is too long, in a folder of
 * its own that only this user can enter; on Windows a named pipe. That folder is there afterwards, and nothing but perhaps a
 * socket that an ended process left behind stands at the path; whoever owns the store may replace it.
 * @throws HoldfastError STORE_PERMISSION when another user prepared that folder, ADDRESS_UNUSABLE when a file is in the way
 */
export function prepareSocketPath(directory: string): string {
  const path = socketPathOf(directory)
  if (process.platform === 'win32') return path
  if (!path.startsWith(directory)) claimFolder(join(path, '..'))
  checkLeftover(path)
  return path
}

function socketPathOf(directory: string): string {
  const name = sha256(directory).slice(0, 16)
  if (process.platform === 'win32') return `\\\\.\\pipe\\holdfast-${name}`
  const inside = join(directory, 'holdfast.sock')
  if (Buffer.byteLength(inside) <= pathBytesMax) return inside
  return join(tmpdir(), `holdfast-${userInfo().uid}-${name}`, 'holdfast.sock')
}

/** The name can be guessed and the folder above is open to all, so what is there already must be ours and closed. */
function claimFolder(folder: string): void {
  try {
    makeDirectory(folder)
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw new HoldfastError('STORE_PERMISSION', { because: `${folder} (${error.code})` }, { cause: error })
  }
  const found = lstatSync(folder)
  if (found.isDirectory() && found.uid === userInfo().uid && (found.mode & 0o077) === 0) return
  throw new HoldfastError('STORE_PERMISSION', { because: `${folder} belongs to somebody else or is open to others` })
}

/** Only a socket may be replaced. */
function checkLeftover(path: string): void {
  try {
    if (lstatSync(path).isSocket()) return
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return
    throw error
  }
  throw new HoldfastError('ADDRESS_UNUSABLE', { because: `${path} is in the way and is no socket` })
}
