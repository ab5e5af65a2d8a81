import { randomUUID } from 'node:crypto'
import { readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../src/host/files.ts'
import { Seeded } from '../openclaw/seeded.ts'
import { transcriptText } from '../openclaw/transcript-text.ts'
import { lockOfNobody } from './damaged-home.ts'

const dayMs = 86_400_000

/** What lies about in a home, put there over and over while its gateway works. */
export class Planter implements Disposable {
  /** Full paths, of what nobody needs any more. */
  readonly planted: string[] = []
  /** Locks of nobody on transcripts of sessions that are talked to. */
  locksInUse = 0
  readonly #dir: string
  readonly #timer: NodeJS.Timeout
  readonly #own = new Set<string>()

  constructor(sessionsDir: string, everyMs: number) {
    this.#dir = sessionsDir
    this.#timer = setInterval(() => this.#plant(), everyMs)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #plant(): void {
    const id = randomUUID()
    const oldMs = Date.now() - 6 * dayMs
    const at = new Date(oldMs).toISOString().replaceAll(':', '-')
    const text = transcriptText({
      sessionId: id,
      cwd: '/w',
      lastAtMs: oldMs,
      turns: 3,
      bytes: 5_000,
      answered: true,
      doubled: false,
      seeded: new Seeded(this.planted.length + 1),
    })
    this.#put(`${id}.jsonl`, text, oldMs)
    this.#put(`${randomUUID()}.jsonl.deleted.${at}`, text, oldMs)
    this.#put(`sessions.json.${randomUUID()}.tmp`, '{', oldMs)
    this.#put(`${randomUUID()}.jsonl.lock`, lockOfNobody(oldMs), oldMs)
    this.#put(`${id}.jsonl.lock`, lockOfNobody(oldMs), oldMs)
    this.#lockSomebody()
  }

  /** Made elsewhere and moved in, so that it is never seen half-made or as written just now. */
  #put(name: string, text: string, atMs: number): void {
    const [made, path] = [join(this.#dir, '..', name), join(this.#dir, name)]
    writeFileSync(made, text, { mode: 0o600 })
    utimesSync(made, atMs / 1_000, atMs / 1_000)
    renameSync(made, path)
    this.planted.push(path)
    this.#own.add(name)
  }

  #lockSomebody(): void {
    const live = readdirSync(this.#dir).filter((name) => name.endsWith('.jsonl') && !this.#own.has(name))
    const name = live[Math.floor(Math.random() * live.length)]
    if (name === undefined) return
    try {
      writeFileSync(join(this.#dir, `${name}.lock`), lockOfNobody(Date.now() - 60_000), { flag: 'wx', mode: 0o600 })
      this.locksInUse += 1
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw error
    }
  }
}
