import { statfsSync } from 'node:fs'
import { HoldfastError } from '../../../model/errors.ts'
import { failureOfReading } from '../failure.ts'

/** What is left to a gateway that shares the disk: this, or this part of the whole where that is less. Unit: bytes. */
const reserveBytesMax = 32 * 1024 ** 2
const reservePart = 1 / 50

/** @throws HoldfastError STORE_FULL where less than the reserve would be left after `bytes` more; HOME_UNREADABLE */
export function requireRoom(path: string, bytes: number): void {
  const { freeBytes, totalBytes } = readSpace(path)
  const reserve = Math.min(reserveBytesMax, totalBytes * reservePart)
  if (freeBytes - bytes >= reserve) return
  const because = `${path}: ${freeBytes} bytes are free, ${bytes} are needed and ${Math.round(reserve)} are left to others`
  throw new HoldfastError('STORE_FULL', { because })
}

/** Of the file system, for users other than root. */
function readSpace(path: string): { freeBytes: number; totalBytes: number } {
  try {
    const { bavail, blocks, bsize } = statfsSync(path)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  } catch (error) {
    throw failureOfReading(error, path)
  }
}
