import { readFileSync } from 'node:fs'
import { isSystemError } from '../../src/host/files.ts'

/** Reads an index over and over while others write it. */
export class IndexWatch implements Disposable {
  reads = 0
  /** What a reader could not read, one line each. */
  readonly problems: string[] = []
  /** Of every entry that was ever seen. */
  readonly keys = new Set<string>()
  readonly #path: string
  readonly #timer: NodeJS.Timeout

  constructor(path: string, everyMs: number) {
    this.#path = path
    this.#timer = setInterval(() => this.#look(), everyMs)
  }

  /** Keys that were there once and are not now. */
  lost(): string[] {
    const now = this.entries()
    return [...this.keys].filter((key) => !Object.hasOwn(now, key))
  }

  entries(): Record<string, { sessionId: string; sessionFile?: string; updatedAt: number }> {
    return JSON.parse(readFileSync(this.#path, 'utf8'))
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    try {
      for (const key of Object.keys(this.entries())) this.keys.add(key)
      this.reads += 1
    } catch (error) {
      if (isSystemError(error, 'ENOENT') && this.reads === 0) return
      this.problems.push(String(error))
    }
  }
}
