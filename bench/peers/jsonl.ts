import { type FileHandle, open } from 'node:fs/promises'

interface Waiting {
  line: string
  written: () => void
  failed: (error: unknown) => void
}

/** A transcript as a file of lines, made durable: everything that came in during one fdatasync shares the next. */
export class JsonlGroupCommit {
  readonly #file: FileHandle
  #waiting: Waiting[] = []
  #writing = false

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async open(path: string): Promise<JsonlGroupCommit> {
    return new JsonlGroupCommit(await open(path, 'a', 0o600))
  }

  append(entry: unknown): Promise<void> {
    return new Promise((written, failed) => {
      this.#waiting.push({ line: `${JSON.stringify(entry)}\n`, written, failed })
      if (!this.#writing) void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    this.#writing = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#file.appendFile(batch.map(({ line }) => line).join(''))
        await this.#file.datasync()
        for (const { written } of batch) written()
      } catch (error) {
        for (const { failed } of batch) failed(error)
      }
    }
    this.#writing = false
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}
