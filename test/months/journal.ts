import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import type { SessionKey } from '../../src/model/keys.ts'
import type { TurnStatus } from '../../src/model/turns.ts'

/** What the simulated world did and was told. `asks`, `unpins`, `resets` and `undoes` stand before the act, all others after its answer. */
export type Fact =
  | { is: 'start'; atMs: number }
  | { is: 'time'; atMs: number }
  | { is: 'asks'; key: SessionKey; words: string; atMs: number }
  | { is: 'accepted'; key: SessionKey; words: string; turnId: string; begun: number | null; atMs: number }
  /** A runner has the turn; also of turns that the clock has started. */
  | { is: 'runs'; key: SessionKey; turnId: string; attempt: number; atMs: number }
  /** `gone`: it is not in the store any more, so it ended before. */
  | { is: 'ended'; key: SessionKey; turnId: string; status: TurnStatus | 'gone'; code: string | null; atMs: number }
  | { is: 'pinned'; key: SessionKey; atMs: number }
  | { is: 'unpins'; key: SessionKey; atMs: number }
  | { is: 'resets'; key: SessionKey; atMs: number }
  /** What is to go next, by a preview: the SHA-256 of all but its first line. */
  | { is: 'copied'; key: SessionKey; transcript: number; sha256: string; atMs: number }
  | {
      is: 'swept'
      atMs: number
      transcripts: number
      deleted: number
      toTrash: number
      stayed: number
      more: boolean
      over: boolean
    }
  | { is: 'suspect'; because: string; atMs: number }
  | { is: 'undoes'; folder: string; atMs: number }
  | { is: 'undone'; folder: string; transcripts: number; atMs: number }
  | { is: 'jumped'; byMs: number; atMs: number }
  | { is: 'memory'; atMs: number; heapBytes: number; residentBytes: number }
  | { is: 'closed'; atMs: number }

/** One `write` for each fact, so that a fact is there wholly or not at all when the process is killed. */
export class Pen {
  readonly #descriptor: number

  constructor(path: string) {
    this.#descriptor = openSync(path, 'a', 0o600)
  }

  note(fact: Fact): void {
    writeSync(this.#descriptor, `${JSON.stringify(fact)}\n`)
  }
}

/** What was written since the last look. */
export class Reader {
  readonly #path: string
  #bytes = 0

  constructor(path: string) {
    this.#path = path
  }

  read(): Fact[] {
    const descriptor = openSync(this.#path, 'r')
    try {
      const data = Buffer.alloc(fstatSync(descriptor).size - this.#bytes)
      readSync(descriptor, data, 0, data.length, this.#bytes)
      this.#bytes += data.length
      return data
        .toString()
        .split('\n')
        .filter((line) => line !== '')
        .map((line): Fact => JSON.parse(line))
    } finally {
      closeSync(descriptor)
    }
  }
}
