import { statfsSync } from 'node:fs'
import { type ErrorRecord, HoldfastError, recordOf } from '../../model/errors.ts'

/** How often to look: statfs(2) is cheap, but not free. */
const checkEveryMs = 10

/** More than a fast disk takes in that time. With less room above the reserve every commit looks. */
const nearBytes = 16 * 1024 ** 2

/** Room must exceed the reserve by this before the store grows again, so that it does not flap at the edge. */
const returnFactor = 1.25

/** Less than this would be full again with the next few messages. */
const returnMinBytes = 1024 ** 2

export interface RoomOptions {
  directory: string
  /** Free bytes below which the store is read-only. */
  reserveBytes: number
  /** Bytes that the database is yet to grow by, when its log is brought in. */
  owedBytes: () => number
  /** Gives back what can be given back at once. */
  makeRoom: () => void
  tell: (writable: boolean, because: ErrorRecord | null) => void
}

/** Whether the store may grow, and why not. */
export class Room {
  #because: ErrorRecord | null = null
  #checkedAtMs = Number.NEGATIVE_INFINITY
  #near = false
  readonly #options: RoomOptions

  constructor(options: RoomOptions) {
    this.#options = options
  }

  /** @throws HoldfastError with the reason for which the store is read-only */
  require(): void {
    if (this.#because?.code === 'STORE_FULL') throw new HoldfastError('STORE_FULL', this.#because.facts)
  }

  /** Before a probe's write: is there room again? @throws HoldfastError STORE_FULL */
  lookAgain(): void {
    if (this.#because?.code !== 'STORE_FULL') return
    const freeBytes = this.#freeBytes()
    if (freeBytes < this.#enoughBytes) throw this.#full(freeBytes)
  }

  /** Looks at the disk, when it may have become short. Between two transactions. */
  check(nowMs: number): void {
    if (this.#because !== null || (!this.#near && nowMs - this.#checkedAtMs < checkEveryMs)) return
    this.#checkedAtMs = nowMs
    const { reserveBytes, makeRoom } = this.#options
    const aboveBytes = this.#freeBytes() - reserveBytes
    this.#near = aboveBytes < nearBytes
    if (aboveBytes >= 0) return
    makeRoom()
    const freeBytes = this.#freeBytes()
    if (freeBytes < this.#enoughBytes) this.lose(this.#full(freeBytes))
  }

  /** SQLite or the disk itself said no. */
  lose(error: HoldfastError): void {
    const before = this.#because
    this.#because = recordOf(error)
    if (before === null) this.#options.tell(false, this.#because)
  }

  /** A write was durable. A disk that has hardly more than the reserve still keeps the store read-only. */
  regain(): void {
    if (this.#because === null) return
    if (this.#because.code === 'STORE_FULL' && this.#freeBytes() < this.#enoughBytes) return
    this.#because = null
    this.#options.tell(true, null)
  }

  get #enoughBytes(): number {
    return Math.max(this.#options.reserveBytes * returnFactor, returnMinBytes)
  }

  /**
   * Without what the log owes the database: it lies on the disk twice until the log is cut, and a log that cannot be brought
   * in for want of room keeps the disk full for ever. Negative where the disk ran full before this was looked at.
   */
  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#options.directory)
    return bavail * bsize - this.#options.owedBytes()
  }

  #full(freeBytes: number): HoldfastError {
    return new HoldfastError('STORE_FULL', {
      freeBytes: Math.max(freeBytes, 0),
      reserveBytes: this.#options.reserveBytes,
    })
  }
}
