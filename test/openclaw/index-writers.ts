import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('programs/index-writer.ts', import.meta.url))

/** A process that changes an index `times` times. */
export class IndexWriter {
  readonly name: string
  readonly #child: ChildProcess
  /** How it ended; `killed` for SIGKILL. */
  readonly ended: Promise<number | 'killed'>
  /** Changes that it was told of as done. */
  done = 0
  failure = ''

  constructor(sessionsDir: string, name: string, times: number) {
    this.name = name
    this.#child = spawn(process.execPath, ['--conditions=holdfast-source', program, sessionsDir, name, String(times)])
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.done += text.split('\n').length - 1
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.failure += text
    })
    this.ended = once(this.#child, 'close').then(([code, signal]) => (signal === 'SIGKILL' ? 'killed' : code))
  }

  /** Resolves when it has made so many changes, or has ended. */
  async hasDone(times: number): Promise<void> {
    while (this.done < times && this.#child.exitCode === null && this.#child.signalCode === null)
      await new Promise((resolve) => setTimeout(resolve, 2))
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
