import { closeSync, constants, openSync, readSync } from 'node:fs'
import { isSystemError } from '../../host/files.ts'

/**
 * The write-ahead log of SQLite (https://sqlite.org/fileformat2.html, "The Write-Ahead Log"), as far as one question needs: does
 * it hold a committed transaction, which the database file then perhaps lacks? Never asked of a file of this process: SQLite's own
 * locks are not on the log, so a descriptor of it may be closed.
 */

const headerBytes = 32
const frameHeaderBytes = 24
const magicLittle = 0x377f0682
const magicBig = 0x377f0683

/** True when the first transaction in the log is whole. Reads up to its end, a frame at a time. */
export function holdsCommit(path: string): boolean {
  const descriptor = openLog(path)
  if (descriptor === null) return false
  try {
    return findsCommit(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function openLog(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null
    throw error
  }
}

function findsCommit(descriptor: number): boolean {
  const header = Buffer.alloc(headerBytes)
  if (!fills(descriptor, header, 0)) return false
  const magic = header.readUInt32BE(0)
  if (magic !== magicLittle && magic !== magicBig) return false
  const sum = new Checksum(magic === magicBig)
  sum.add(header.subarray(0, 24))
  if (!sum.is(header.readUInt32BE(24), header.readUInt32BE(28))) return false
  const pageBytes = header.readUInt32BE(8)
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) return false
  const salts = header.subarray(16, 24)
  const frame = Buffer.alloc(frameHeaderBytes + pageBytes)
  for (let at = headerBytes; fills(descriptor, frame, at); at += frame.length) {
    if (!frame.subarray(8, 16).equals(salts)) return false
    sum.add(frame.subarray(0, 8))
    sum.add(frame.subarray(frameHeaderBytes))
    if (!sum.is(frame.readUInt32BE(16), frame.readUInt32BE(20))) return false
    const endsTransaction = frame.readUInt32BE(4) !== 0
    if (endsTransaction) return true
  }
  return false
}

function fills(descriptor: number, buffer: Buffer, position: number): boolean {
  for (let filled = 0; filled < buffer.length; ) {
    const bytes = readSync(descriptor, buffer, filled, buffer.length - filled, position + filled)
    if (bytes === 0) return false
    filled += bytes
  }
  return true
}

/** Goes on from what was added before, over eight bytes at a time. */
class Checksum {
  #one = 0
  #two = 0
  readonly #big: boolean

  constructor(big: boolean) {
    this.#big = big
  }

  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 8) {
      const first = this.#big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)
      const second = this.#big ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)
      this.#one = (this.#one + first + this.#two) >>> 0
      this.#two = (this.#two + second + this.#one) >>> 0
    }
  }

  is(one: number, two: number): boolean {
    return this.#one === one && this.#two === two
  }
}
