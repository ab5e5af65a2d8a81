import { chanceFrom } from '../power/chance.ts'

/** Chance that is the same for the same seed. */
export class Seeded {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = chanceFrom(seed)
  }

  /** At least `least`, less than `below`; whole. */
  whole(least: number, below: number): number {
    return least + Math.floor(this.#next() * (below - least))
  }

  pick<T>(from: readonly T[]): T {
    const found = from[this.whole(0, from.length)]
    if (found === undefined) throw new Error('there is nothing to pick from')
    return found
  }

  hex(length: number): string {
    let text = ''
    while (text.length < length)
      text += this.whole(0, 2 ** 32)
        .toString(16)
        .padStart(8, '0')
    return text.slice(0, length)
  }

  /** RFC 9562, version 4. */
  uuid(): string {
    const text = this.hex(32)
    const variant = '89ab'[Number.parseInt(text[16] ?? '0', 16) % 4]
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-${variant}${text.slice(17, 20)}-${text.slice(20)}`
  }
}
