import type { Turn } from '../../model/turns.ts'
import type { Readings, Seat } from './alarms.ts'

/**
 * Memory that the main thread and the thread that watches it share: numbers and short texts, no messages. So telling of a
 * turn costs as little at 500 turns a second as at one, and what a wedged main thread did last is there to be read.
 *
 * Layout: the numbers of `places`; two numbers for each slot, `of` (grows by one when a turn takes the slot and when it
 * leaves: odd while it is taken) and `moves` (grows with every sign of life); then the texts of each slot, each after its
 * length in bytes: who the turn is, and its last note. All numbers are 32-bit and wrap around.
 *
 * A text counts when `of` and `moves` are the same after it was read as before: both change before a text is written.
 */
const places = { over: 0, beats: 1, stuckAfterMs: 2, wedgedAfterMs: 3, slotsUsed: 4 } as const
const slotsAt = 8
const numbersOfSlot = 2

/** More turns at once run unwatched. Memory that was never written takes no room: 4 MB are reserved. */
const slotsMax = 4_096
/** Session key (255), turn id and lane, with line breaks between. */
const whoBytes = 398
/** A note has at most 200 UTF-16 units. */
const noteBytes = 600
const lengthBytes = 2
const textsBytes = 2 * lengthBytes + whoBytes + noteBytes
const textsAt = (slotsAt + slotsMax * numbersOfSlot) * Int32Array.BYTES_PER_ELEMENT

/** Limits are 32-bit numbers here: 24 days. */
const limitMaxMs = 2 ** 31 - 1

export interface WatchLimits {
  stuckAfterMs: number
  wedgedAfterMs: number
}

/** What can be told of a running turn: ids, its lane, and the runner's last note, which is for people only. */
export interface Sitting {
  turnId: string
  sessionKey: Turn['sessionKey']
  lane: Turn['lane']
  note: string
}

/** Both sides of the board; the main thread writes, the watching thread reads. */
class Board {
  readonly memory: SharedArrayBuffer
  protected readonly numbers: Int32Array
  protected readonly texts: Buffer

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.numbers = new Int32Array(memory, 0, textsAt / Int32Array.BYTES_PER_ELEMENT)
    this.texts = Buffer.from(memory)
  }

  protected ofAt = (slot: number): number => slotsAt + slot * numbersOfSlot
  protected movesAt = (slot: number): number => this.ofAt(slot) + 1
  protected whoAt = (slot: number): number => textsAt + slot * textsBytes
  protected noteAt = (slot: number): number => this.whoAt(slot) + lengthBytes + whoBytes
}

export class BoardWriter extends Board {
  readonly #free: number[] = []
  #used = 0

  constructor() {
    super(new SharedArrayBuffer(textsAt + slotsMax * textsBytes))
  }

  limits({ stuckAfterMs, wedgedAfterMs }: WatchLimits): void {
    Atomics.store(this.numbers, places.stuckAfterMs, Math.min(stuckAfterMs, limitMaxMs))
    Atomics.store(this.numbers, places.wedgedAfterMs, Math.min(wedgedAfterMs, limitMaxMs))
  }

  /** The event loop has gone round. */
  beat(): void {
    Atomics.add(this.numbers, places.beats, 1)
  }

  /** Null when every slot is taken. */
  take({ id, sessionKey, lane }: Pick<Turn, 'id' | 'sessionKey' | 'lane'>): number | null {
    const slot = this.#free.pop() ?? (this.#used < slotsMax ? this.#used : null)
    if (slot === null) return null
    this.#used = Math.max(this.#used, slot + 1)
    this.#write(this.whoAt(slot), whoBytes, [id, sessionKey, lane].join('\n'))
    this.#write(this.noteAt(slot), noteBytes, '')
    Atomics.add(this.numbers, this.ofAt(slot), 1)
    Atomics.store(this.numbers, places.slotsUsed, this.#used)
    return slot
  }

  move(slot: number, note: string | null): void {
    Atomics.add(this.numbers, this.movesAt(slot), 1)
    if (note !== null) this.#write(this.noteAt(slot), noteBytes, note)
  }

  leave(slot: number): void {
    Atomics.add(this.numbers, this.ofAt(slot), 1)
    this.#free.push(slot)
  }

  /** Nobody watches afterwards. */
  close(): void {
    Atomics.store(this.numbers, places.over, 1)
    Atomics.notify(this.numbers, places.over)
  }

  /** Cut at a character, when it is too long. */
  #write(at: number, bytesMax: number, text: string): void {
    this.texts.writeUInt16LE(this.texts.write(text, at + lengthBytes, bytesMax, 'utf8'), at)
  }
}

export class BoardReader extends Board {
  /** True when the board was closed meanwhile. */
  waited(ms: number): boolean {
    return Atomics.wait(this.numbers, places.over, 0, ms) !== 'timed-out'
  }

  get limits(): WatchLimits {
    const at = (place: number) => Atomics.load(this.numbers, place)
    return { stuckAfterMs: at(places.stuckAfterMs), wedgedAfterMs: at(places.wedgedAfterMs) }
  }

  read(atMs: number): Readings {
    const turns: Seat[] = []
    for (let slot = 0; slot < Atomics.load(this.numbers, places.slotsUsed); slot += 1) {
      const seat = this.#seat(slot)
      if (seat.of % 2 !== 0) turns.push(seat)
    }
    return { atMs, beats: Atomics.load(this.numbers, places.beats), turns }
  }

  /** Null when the turn has moved or left since. */
  whoIs({ slot, of, moves }: Seat): Sitting | null {
    const [turnId = '', sessionKey = '', lane = ''] = this.#text(this.whoAt(slot)).split('\n')
    const note = this.#text(this.noteAt(slot))
    const after = this.#seat(slot)
    if (after.of !== of || after.moves !== moves) return null
    return { turnId, sessionKey: sessionKey as Sitting['sessionKey'], lane: lane as Sitting['lane'], note }
  }

  #seat(slot: number): Seat {
    const of = Atomics.load(this.numbers, this.ofAt(slot))
    return { slot, of, moves: Atomics.load(this.numbers, this.movesAt(slot)) }
  }

  #text(at: number): string {
    const from = at + lengthBytes
    return this.texts.toString('utf8', from, from + this.texts.readUInt16LE(at))
  }
}
