import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'vitest'
import { openHoldfast } from '../../src/engine/holdfast.ts'
import { openReadOnly, sqliteStore } from '../../src/sqlite/open.ts'
import { ManualClock } from '../../src/testing/clock.ts'
import { chanceFrom } from '../power/chance.ts'
import { lostWords, undoAll, untrueCopies } from './accounts.ts'
import { brokenBounds, brokenHelpers, lateSweeps, missingSessions } from './bounds.ts'
import { Reader } from './journal.ts'
import { Known } from './known.ts'
import { dayMs, hourMs, minuteMs, settings } from './policy.ts'
import { causeOf, unfairOrder, untrueReasons } from './reasons.ts'
import { Shelf } from './shelf.ts'
import type { Span } from './span.ts'

interface Months {
  seed: number
  days: number
  /** At the end, in one process that nobody kills. */
  calmDays: number
  /** Conversations for each of the usual ones. */
  scale: number
  spanDaysMax: number
}

const program = new URL('programs/span.ts', import.meta.url).pathname
const worldMs = Date.UTC(2026, 0, 5)
/** One of so many starts comes more than a day after the last end: what was interrupted is stale then. */
const longAwayEvery = 4
/** Where the kill comes: at a call of the store in a sweep, an undo or a deletion, or wherever it is some time later. */
const moments = ['stride', 'takeOut', 'takeOut', 'purge', 'giveBack', 'putBack', 'moveArchived', 'dropArchived']

interface Kill {
  moment: string
  count: number
  delayMs: number
}

/** What the world held, for people. */
interface Told {
  days: number
  sessions: number
  accepted: number
  turns: Record<string, number>
  spans: number
  kills: number
  poisoned: number
  resumed: number
  sweeps: number
  refusedSweeps: number
  transcriptsTaken: number
  causes: Record<string, number>
  manifests: number
  toTrash: number
  deleted: number
  undoneOnTheWay: number
  undone: number
  undoneManifests: number
  copiesCompared: number
  heapBytes: [number, number]
  residentBytes: [number, number]
}

/** Plays the months, with checks after each span and at the end. */
export async function playMonths(months: Months): Promise<Told> {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-months-'))
  try {
    return await new Calendar(months, root).play()
  } finally {
    await rm(root, { recursive: true, maxRetries: 3 })
  }
}

class Calendar {
  readonly #months: Months
  readonly #data: string
  readonly #journal: string
  readonly #chance: () => number
  readonly #known = new Known()
  readonly #shelf: Shelf
  readonly #starts: number[] = []
  readonly #reader: Reader
  #spans = 0
  #kills = 0
  #poisoned = 0

  constructor(months: Months, root: string) {
    this.#months = months
    this.#data = join(root, 'data')
    this.#journal = join(root, 'journal')
    this.#chance = chanceFrom(months.seed)
    this.#shelf = new Shelf(this.#data)
    this.#reader = new Reader(this.#journal)
    this.#known.lastMs = worldMs
  }

  async play(): Promise<Told> {
    const { days, calmDays, spanDaysMax } = this.#months
    const endMs = worldMs + days * dayMs
    const calmMs = endMs - calmDays * dayMs
    while (this.#known.lastMs < calmMs) {
      const lengthMs = (0.3 + this.#chance()) * (spanDaysMax / 1.3) * dayMs
      const kill = this.#chance() < 0.65 ? this.#someKill() : null
      await this.#span({ endMs: Math.min(calmMs, this.#known.lastMs + lengthMs) }, kill)
    }
    const calm = { slowShare: 0.02, poison: false }
    await this.#span({ ...calm, endMs: this.#known.lastMs + hourMs, jumps: true }, null)
    await this.#span({ ...calm, endMs }, null)
    return await this.#account()
  }

  #someKill(): Kill {
    const moment = moments[Math.floor(this.#chance() * moments.length)] as string
    const count = Math.ceil(this.#chance() * (moment === 'stride' ? 80 : 30))
    return { moment, count, delayMs: this.#chance() < 0.5 ? 0 : this.#chance() * 60 }
  }

  /** One process, from its start to its end. Some start at once after the last, some a day later. */
  async #span(more: Partial<Span>, kill: Kill | null): Promise<void> {
    const { seed, scale } = this.#months
    const beforeMs = this.#known.lastMs
    const isFirst = this.#spans === 0
    const isLong = this.#spans % longAwayEvery === longAwayEvery - 1
    const awayMs = isLong ? (26 + this.#chance() * 20) * hourMs : isFirst ? 0 : this.#chance() * 10 * minuteMs
    const span: Span = {
      ...{ seed: seed + this.#spans, worldMs, beforeMs, startMs: Math.ceil(beforeMs + awayMs), endMs: beforeMs },
      ...{ name: `s${this.#spans}`, scale, slowShare: 0.03, poison: true, jumps: false },
      ...{ open: [...this.#known.open.values()], pinned: this.#known.pinned },
      ...more,
    }
    this.#spans += 1
    this.#starts.push(span.startMs)
    const killed = await this.#run(span, kill)
    this.#known.add(this.#reader.read())
    await this.#shelf.look()
    await this.#checkSpan(killed ? 'killed' : 'ended')
  }

  async #run(span: Span, kill: Kill | null): Promise<boolean> {
    const options = ['--expose-gc', program, this.#data, this.#journal, JSON.stringify(span)]
    const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] })
    let left = kill?.count ?? 0
    let isOurs = false
    const strike = () => {
      isOurs = child.kill('SIGKILL') || isOurs
    }
    createInterface(child.stdout).on('line', (line) => {
      if (kill === null || line !== kill.moment) return
      left -= 1
      if (left === 0 && kill.delayMs === 0) strike()
      else if (left === 0) setTimeout(strike, kill.delayMs)
    })
    const [code, signal] = await once(child, 'close')
    if (signal !== 'SIGKILL') expect([code, signal], this.#told(`span ${span.name}`)).toEqual([0, null])
    if (signal === 'SIGKILL' && isOurs) this.#kills += 1
    else if (signal === 'SIGKILL') this.#poisoned += 1
    return signal === 'SIGKILL'
  }

  /** What is cheap. The store is as its last process left it. */
  async #checkSpan(end: 'killed' | 'ended'): Promise<void> {
    const sweptMs = this.#known.swept.at(-1)?.atMs ?? worldMs
    const told = this.#told(`after span ${this.#spans}, which was ${end}`)
    expect(brokenHelpers(this.#data, this.#known), told).toEqual([])
    const store = await openReadOnly(this.#data)
    try {
      expect(await brokenBounds(store, this.#shelf, this.#known, sweptMs), told).toEqual([])
      expect(await missingSessions(store, this.#shelf, this.#known), told).toEqual([])
    } finally {
      await store.close()
    }
  }

  async #account(): Promise<Told> {
    const [shelf, known] = [this.#shelf, this.#known]
    expect.soft(untrueReasons(shelf, known), this.#told('reasons')).toEqual([])
    expect.soft(unfairOrder(shelf, known), this.#told('order')).toEqual([])
    expect.soft(lateSweeps(this.#starts, known), this.#told('sweeps')).toEqual([])
    const copies = await untrueCopies(shelf, known)
    expect.soft(copies.problems, this.#told('copies')).toEqual([])
    const engine = await openHoldfast({
      store: sqliteStore(this.#data, { synchronous: 'unsafe-for-tests', diskReserveBytes: 0 }),
      run: null,
      archives: this.#data,
      clock: new ManualClock(known.lastMs + minuteMs),
      settings,
    })
    try {
      expect.soft(await lostWords(engine.store, shelf, known, true), this.#told('words')).toEqual([])
      await this.#verify(engine.store)
      const undone = await undoAll(engine, shelf)
      expect.soft(undone.problems, this.#told('undo')).toEqual([])
      await shelf.look()
      expect.soft(shelf.full, this.#told('nothing is archived any more')).toEqual([])
      expect.soft(await lostWords(engine.store, shelf, known, false), this.#told('words after undo')).toEqual([])
      await this.#verify(engine.store)
      return this.#tell(undone, copies.compared)
    } finally {
      await engine.close()
    }
  }

  async #verify(store: Awaited<ReturnType<typeof openReadOnly>>): Promise<void> {
    const { checks } = await store.verify({ quick: false, atMs: this.#known.lastMs })
    expect
      .soft(
        checks.filter(({ ok }) => !ok),
        this.#told('verify'),
      )
      .toEqual([])
  }

  #tell(undone: { transcripts: number; manifests: number }, copiesCompared: number): Told {
    const [shelf, known] = [this.#shelf, this.#known]
    const takings = shelf.takings
    const ends = [...known.ended.values()].map(({ status, code }) => code ?? status)
    const weights = known.memory.slice(-this.#months.calmDays + 2)
    const [first, last] = [weights[0], weights.at(-1)]
    return {
      days: (known.lastMs - worldMs) / dayMs,
      sessions: known.sessions.size,
      accepted: known.accepted.length,
      turns: countOf(ends),
      spans: this.#spans,
      kills: this.#kills,
      poisoned: this.#poisoned,
      resumed: known.resumed,
      sweeps: known.swept.length,
      refusedSweeps: known.refusedSweeps,
      transcriptsTaken: takings.length,
      causes: countOf(takings.map(causeOf)),
      manifests: shelf.folders.length,
      toTrash: shelf.moved.length,
      deleted: shelf.deleted.reduce((sum, { items }) => sum + items.length, 0),
      undoneOnTheWay: known.undone.reduce((sum, { transcripts }) => sum + transcripts, 0),
      undone: undone.transcripts,
      undoneManifests: undone.manifests,
      copiesCompared,
      heapBytes: [first?.heapBytes ?? 0, last?.heapBytes ?? 0],
      residentBytes: [first?.residentBytes ?? 0, last?.residentBytes ?? 0],
    }
  }

  #told(what: string): string {
    return `${what} (HOLDFAST_SEED=${this.#months.seed})`
  }
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
