import { basename, join } from 'node:path'
import { isHoldfastError } from '../../model/errors.ts'
import { openInside } from '../files/open.ts'
import { rootOf } from '../files/place.ts'
import type { Home } from '../home/home.ts'
import { kindOfName } from '../home/names.ts'
import type { AgentFacts, FileFacts } from '../survey/facts.ts'
import type { TranscriptFacts } from '../transcripts/facts.ts'
import { readLine } from '../transcripts/rows/reading.ts'

/** So many other transcripts are asked where the agent works, and so much of each is read. Unit: bytes. */
const askedMax = 20
const headBytes = 16 * 1024

/** Headers for transcripts that have lost theirs, as gateways of the file generation write them. */
export class HeaderMaker {
  readonly #home: Home
  readonly #agent: AgentFacts
  #cwd: string | null = null

  constructor(home: Home, agent: AgentFacts) {
    this.#home = home
    this.#agent = agent
  }

  /**
   * The line, without its line feed. The id is that of the index entry that names the file, or of the file's name; the time that of the first
   * entry, or of the file; the directory that of the agent's other transcripts, or the usual one.
   */
  async make({ name, mtimeMs }: FileFacts, { firstAtMs }: TranscriptFacts): Promise<Buffer> {
    const { index } = this.#agent
    const entry = index.state === 'read' ? index.entries.find(({ transcript }) => transcript === name) : undefined
    const id = entry?.sessionId ?? kindOfName(name).sessionId ?? basename(name, '.jsonl')
    const timestamp = new Date(firstAtMs ?? mtimeMs).toISOString()
    this.#cwd ??= (await this.#cwdOfOthers(name)) ?? this.#usualCwd()
    return Buffer.from(JSON.stringify({ type: 'session', version: 3, id, timestamp, cwd: this.#cwd }))
  }

  #usualCwd(): string {
    const { id } = this.#agent
    return join(this.#home.elsewhere ?? this.#home.dir, id === 'main' ? 'workspace' : `workspace-${id}`)
  }

  async #cwdOfOthers(name: string): Promise<string | null> {
    const others = this.#agent.files.filter((file) => file.kind === 'transcript' && file.name !== name)
    for (const { name: other } of others.toSorted((a, b) => b.mtimeMs - a.mtimeMs).slice(0, askedMax)) {
      const cwd = await this.#cwdOf(other)
      if (cwd !== null) return cwd
    }
    return null
  }

  async #cwdOf(name: string): Promise<string | null> {
    const { sessionsDir } = this.#agent
    try {
      using file = await openInside(rootOf(this.#home, sessionsDir), join(sessionsDir, name))
      if (file === null) return null
      const head = Buffer.alloc(Math.min(headBytes, file.bytes))
      const read = await file.read(head, 0)
      const end = head.indexOf(0x0a)
      const [first] = readLine(head.subarray(0, end === -1 ? read : end), end !== -1).parts
      return first?.row != null && 'header' in first.row ? first.row.header.cwd : null
    } catch (error) {
      // it is only asked for a directory; what is wrong with it is told in its own turn
      if (isHoldfastError(error)) return null
      throw error
    }
  }
}
