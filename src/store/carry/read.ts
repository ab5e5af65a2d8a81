import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { type HeaderRecord, linesOf, parseHeader, parseRecord, type TranscriptRecord } from '../../model/records.ts'
import type { Store } from '../port.ts'

/** Of one answer of the store. */
const partBytes = 1024 ** 2

/** A transcript of a store, read record by record; nothing of it is there when its first line is not. */
export class TranscriptReading {
  readonly #store: Store
  readonly #item: { key: SessionKey; transcript: number }
  #after: string | null | undefined
  #stamp: string | null = null
  #lines: string[] = []
  #at = 0

  constructor(store: Store, key: SessionKey, transcript: number) {
    this.#store = store
    this.#item = { key, transcript }
  }

  /** The first line; null where the transcript is not in the store. To be asked for before anything else, or not at all. */
  async header(): Promise<HeaderRecord | null> {
    await this.#read()
    const line = this.#lines[0]
    if (line === undefined) return null
    this.#at = 1
    return parseHeader(line)
  }

  /** Undefined after the end. @throws HoldfastError ARCHIVE_CONFLICT when it changed while it was read */
  async next(): Promise<TranscriptRecord | undefined> {
    if (this.#after === undefined) await this.header()
    while (this.#at === this.#lines.length) {
      if (this.#after === null) return undefined
      await this.#read()
    }
    const line = this.#lines[this.#at] as string
    this.#at += 1
    return parseRecord(line)
  }

  async #read(): Promise<void> {
    const item = { ...this.#item, ...(typeof this.#after === 'string' ? { after: this.#after } : {}) }
    const [part] = await this.#store.exportTranscripts({ items: [item], bytesMax: partBytes })
    if (this.#stamp !== null && part?.stamp !== this.#stamp) {
      const because = 'it was written to while it was read'
      throw new HoldfastError('ARCHIVE_CONFLICT', { key: item.key, transcript: item.transcript, because })
    }
    this.#stamp = part?.stamp ?? null
    this.#lines = part === undefined ? [] : linesOf(part.text)
    this.#after = part?.next ?? null
    this.#at = 0
  }
}
