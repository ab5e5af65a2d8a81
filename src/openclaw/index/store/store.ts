import { basename, dirname } from 'node:path'
import type { Clock } from '../../../host/clock.ts'
import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import { newIn, putAt, requireDirectory } from '../../files/create.ts'
import { replaceAs } from '../../files/replace.ts'
import type { AgentHome } from '../../home/home.ts'
import { changedParts, type EntryChange, rawEntry } from '../edit.ts'
import type { IndexFacts } from '../facts.ts'
import { parseIndex } from '../parse.ts'
import { type IndexText, readIndexText, readWhole, sha256InSlices, type Whole } from '../read.ts'
import { lockIndex } from './lock.ts'
import { type Keeping, maintain, type Upkept } from './maintain.ts'
import { Queues } from './queue.ts'
import { type IndexView, viewOf } from './view.ts'

/*
 * A store for `sessions.json`. A change is: wait for this process's own turn, take the locks (lock.ts), read, edit, write beside it
 * (`<index>.holdfast.tmp`, synced), compare what is there with what was read (device, inode, size, times and content), rename, sync the
 * directory, let go. A reader sees the old index or the new one. A process that is killed on the way leaves the old one, its temporary
 * file, which the next change removes, and a lock that the next one takes over. Where a name cannot be given to another file (Windows,
 * one that is mounted by itself) it is written in place: readers then read again, and after a kill the temporary file is the whole one.
 */

export interface IndexOutside {
  clock: Clock
  /** Bounds what is kept, on save; null: nothing goes. */
  keeping: (Keeping & Pace) | null
}

interface Pace {
  /** It is done after a change, at most this often. Unit: ms. */
  everyMs: number
  /** How it went. That it failed fails no change. */
  told(outcome: Upkept | { failed: unknown }): void
}

export interface Waiting {
  /** For other writers of this process and of others. Unit: ms. Default: 10 s, as gateways wait. */
  waitMs?: number
}

/** Nothing that somebody else keeps writing to is ours to write. */
const tries = 10
const waitMsDefault = 10_000

/** One process, one queue for each file, however many stores are opened on it. */
const queues = new Queues()

/** The store of one agent. `root`: the home, or the sessions directory where that lies elsewhere. */
export function openIndexStore(agent: AgentHome, root: string, outside: IndexOutside): IndexStore {
  return new IndexStore(agent, root, outside)
}

export class IndexStore {
  readonly #agent: AgentHome
  readonly #root: string
  readonly #clock: Clock
  readonly #keeping: IndexOutside['keeping']
  #keptAtMs = Number.NEGATIVE_INFINITY

  constructor(agent: AgentHome, root: string, { clock, keeping }: IndexOutside) {
    this.#agent = agent
    this.#root = root
    this.#clock = clock
    this.#keeping = keeping
  }

  /** What it says now; takes no lock. That it is unreadable is a fact. */
  async read(): Promise<IndexFacts> {
    return (await readIndexText(this.#agent, this.#root, this.#clock.nowMs())).facts
  }

  /**
   * What `edit` asks for is on disk, and every other byte is as it was. `edit` is called with what is there, again when somebody else has
   * changed that meanwhile, and holds everybody up: it must not wait for anything. No changes write nothing. Where there was no index it
   * is made. Gives what was changed. Upkeep that is due follows, when the locks are let go.
   * @throws HoldfastError INDEX_UNREADABLE (it is left as it is), HOME_BUSY when its turn does not come in time, HOME_CHANGED when others
   * change it all the time, HOME_UNSAFE, HOME_UNREADABLE, HOME_READ_ONLY, STORE_FULL, STORE_IO
   */
  async update(
    edit: (index: IndexView) => readonly EntryChange[],
    { waitMs = waitMsDefault }: Waiting = {},
  ): Promise<readonly EntryChange[]> {
    const changes = await this.#save(edit, waitMs)
    const keeping = this.#keeping
    const isDue = keeping !== null && this.#clock.steadyMs() - this.#keptAtMs >= keeping.everyMs
    if (changes.length > 0 && isDue) keeping.told(await this.maintain(keeping).catch((failed: unknown) => ({ failed })))
    return changes
  }

  /** What is kept is within its policy. @throws HoldfastError as `update` */
  async maintain(keeping: Keeping): Promise<Upkept> {
    this.#keptAtMs = this.#clock.steadyMs()
    const save = (edit: (index: IndexView) => readonly EntryChange[]) => this.#save(edit, waitMsDefault)
    return await maintain(this.#agent, this.#root, this.#clock, keeping, { update: save })
  }

  async #save(edit: (index: IndexView) => readonly EntryChange[], waitMs: number): Promise<readonly EntryChange[]> {
    const deadlineMs = this.#clock.steadyMs() + waitMs
    using _turn = await queues.turn(this.#agent.indexPath, this.#clock, deadlineMs)
    using _lock = await lockIndex(this.#agent, this.#root, this.#clock, deadlineMs)
    for (let attempt = 1; ; attempt++) {
      const found = await readWhole(this.#agent.indexPath, this.#root, this.#clock.nowMs())
      if (found.text === null && found.facts.state === 'unreadable')
        throw new HoldfastError('INDEX_UNREADABLE', { because: found.facts.because })
      const changes = edit(viewOf(found.text))
      const { bytes, parsed } = found.text ?? empty
      const parts = changedParts(bytes, changes, parsed)
      if (changes.every(({ key, after }) => after === rawEntry(bytes, parsed, key))) return changes
      try {
        await this.#write(found, parts)
        return changes
      } catch (error) {
        const isOvertaken = isHoldfastError(error, 'HOME_CHANGED') || isHoldfastError(error, 'FILE_EXISTS')
        if (!isOvertaken || attempt === tries || this.#clock.steadyMs() >= deadlineMs) throw error
      }
    }
  }

  async #write(found: Whole, parts: readonly Buffer[]): Promise<void> {
    const { indexPath } = this.#agent
    const name = basename(indexPath)
    const freshName = `${name}.holdfast.tmp`
    using directory = requireDirectory(this.#root, dirname(indexPath))
    // of a writer that was killed: nobody else has the lock now
    directory.remove(freshName)
    if (found.text === null) {
      await putAt(directory, name, inTurn(parts), newIn(directory, 0o600), freshName)
      directory.sync()
      return
    }
    const judged = { path: indexPath, identity: found.identity, sha256: await sha256InSlices(found.text.bytes) }
    await replaceAs(this.#root, judged, inTurn(parts), { freshName, attributes: null, beforeInPlace: async () => {} })
  }
}

const emptyBytes = Buffer.from('{}')
const empty: IndexText = { bytes: emptyBytes, parsed: parseIndex(emptyBytes) }

async function* inTurn(parts: readonly Buffer[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* parts
}
