import { hash } from 'node:crypto'
import type { FieldWeight } from '../facts.ts'
import type { Member } from '../text/scan.ts'

/** Shorter values are not worth storing once: a reference to them is as long. Unit: bytes. */
const repeatBytesMin = 256

/** Fields with other names than a gateway's can be as many as there are bytes; beyond this they are counted together. */
const fieldsMax = 1_000
const rest = '(others)'

/** Counts how much of an index is which field. */
export class Weights {
  readonly #fields = new Map<string, FieldWeight & { seen: Set<string> }>()

  add(bytes: Buffer, field: Member): void {
    const name = this.#fields.has(field.key) || this.#fields.size < fieldsMax ? field.key : rest
    let weight = this.#fields.get(name)
    if (weight === undefined) {
      weight = { field: name, entries: 0, bytes: 0, repeatedBytes: 0, seen: new Set() }
      this.#fields.set(name, weight)
    }
    const length = field.valueEnd - field.valueStart
    weight.entries++
    weight.bytes += length
    if (length < repeatBytesMin) return
    const digest = hash('sha256', bytes.subarray(field.valueStart, field.valueEnd), 'base64')
    if (weight.seen.has(digest)) weight.repeatedBytes += length
    else weight.seen.add(digest)
  }

  heaviestFirst(): FieldWeight[] {
    return [...this.#fields.values()]
      .map(({ seen: _, ...weight }) => weight)
      .sort((a, b) => b.bytes - a.bytes || (a.field < b.field ? -1 : 1))
  }
}
