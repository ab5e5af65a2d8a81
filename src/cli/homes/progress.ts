import type { Terminal } from '../terminal.ts'

const showEveryMs = 100

/** One line on stderr for a person who waits; none where stderr is no terminal. */
export class Progress {
  readonly #dir: string
  /** What is counted: `transcripts`. */
  readonly #noun: string
  readonly #terminal: Terminal
  #shownMs = Number.NEGATIVE_INFINITY

  constructor(dir: string, noun: string, terminal: Terminal) {
    this.#dir = dir
    this.#noun = noun
    this.#terminal = terminal
  }

  show(done: number, of: number): void {
    const { stderr, clock } = this.#terminal.outside
    if (stderr.isTTY !== true || clock.steadyMs() - this.#shownMs < showEveryMs) return
    this.#shownMs = clock.steadyMs()
    const counts = `${done.toLocaleString('en-US')} of ${of.toLocaleString('en-US')}`
    stderr.write(`\r\u001b[K${this.#dir}: ${counts} ${this.#noun}`)
  }

  clear(): void {
    if (this.#shownMs > Number.NEGATIVE_INFINITY) this.#terminal.outside.stderr.write('\r\u001b[K')
  }
}
