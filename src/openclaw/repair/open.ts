import { HoldfastError } from '../../model/errors.ts'
import type { FreshContent } from '../changes/put.ts'
import type { Judged } from '../files/identity.ts'
import { readLines } from '../files/lines.ts'
import { type OpenFile, openInside } from '../files/open.ts'
import type { TranscriptFacts } from '../transcripts/facts.ts'
import type { Piece } from '../transcripts/mend.ts'
import { checkLines, type MakeHeader, planRepair, type Repair } from '../transcripts/repair.ts'
import { lineBytesMax } from '../transcripts/scan.ts'

/** What a look at one transcript gives. `repair` null: there is nothing to put right. */
export interface Looked {
  judged: Judged
  facts: TranscriptFacts
  repair: Repair | null
  /** The mended transcript, read from the file each time. Good as long as the look is. */
  content: FreshContent
}

/** A transcript that is held open while what is wrong with it is looked at and put right. */
export class OpenTranscript implements Disposable {
  readonly #file: OpenFile

  private constructor(file: OpenFile) {
    this.#file = file
  }

  /** null where it is gone. @throws HoldfastError HOME_UNSAFE, HOME_UNREADABLE */
  static async open(root: string, path: string): Promise<OpenTranscript | null> {
    const file = await openInside(root, path)
    return file === null ? null : new OpenTranscript(file)
  }

  /** Reads it once where it is clean, and some more times where it is not. @throws HoldfastError HOME_CHANGED, HOME_UNREADABLE, REPAIR_REFUSED */
  async look(made: MakeHeader): Promise<Looked> {
    const read = () => readLines(this.#file, { lineBytesMax })
    const { path, identity, bytes } = this.#file
    const checked = await checkLines(read, bytes)
    const repair = checked.mendable ? await planRepair(read, checked, made) : null
    return {
      judged: { path, identity, sha256: null },
      facts: checked.facts,
      repair,
      content: () => this.#bytesOf(repair),
    }
  }

  async *#bytesOf(repair: Repair | null): AsyncGenerator<Uint8Array> {
    if (repair === null) throw new HoldfastError('INTERNAL', { because: 'nothing to write' })
    let small: Buffer[] = []
    let bytes = 0
    for await (const piece of repair.pieces()) {
      if (Buffer.isBuffer(piece)) {
        small.push(piece)
        bytes += piece.length
      }
      if (bytes < writeBytes && Buffer.isBuffer(piece)) continue
      yield Buffer.concat(small)
      small = []
      bytes = 0
      if (!Buffer.isBuffer(piece)) yield* this.#copyOf(piece)
    }
    if (small.length > 0) yield Buffer.concat(small)
  }

  /** A line that is too long to be held. */
  async *#copyOf({ from, bytes }: Exclude<Piece, Buffer>): AsyncGenerator<Uint8Array> {
    for (let done = 0; done < bytes; ) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(writeBytes, bytes - done))
      const count = await this.#file.read(chunk, from + done)
      if (count === 0) throw new HoldfastError('HOME_CHANGED', { because: `${this.#file.path}: it has become shorter` })
      yield chunk.subarray(0, count)
      done += count
    }
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]()
  }
}

/** Written at once. Unit: bytes. */
const writeBytes = 256 * 1024
