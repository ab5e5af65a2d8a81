import { Worker } from 'node:worker_threads'
import { type Log, levelNumbers } from '../../host/log.ts'
import { threadOptions } from '../../host/process.ts'
import { recordOf } from '../../model/errors.ts'
import type { Holder } from '../../model/holders.ts'
import type { Turn } from '../../model/turns.ts'
import type { EventLog } from '../event-log.ts'
import type { EngineSettings } from '../settings.ts'
import type { Telemetry } from '../telemetry.ts'
import { BoardWriter, type WatchLimits } from './board.ts'
import type { ThreadData, Told } from './thread.ts'

/** Watches running turns and the event loop. What is told to it costs next to nothing, and never fails. */
export interface Lookout {
  open(): void
  begin(turn: Turn): void
  /** A sign of life; the note is for people. */
  moved(turnId: string, note: string | null): void
  end(turnId: string): void
  isStuck(turnId: string): boolean
  setLimits(limits: WatchLimits): void
  close(): Promise<void>
}

/** Where no turns run, or where a test owns the time. */
export const noLookout: Lookout = {
  open: () => {},
  begin: () => {},
  moved: () => {},
  end: () => {},
  isStuck: () => false,
  setLimits: () => {},
  close: async () => {},
}

/** What the lookout stands on. */
export interface LookoutGround {
  holder: Holder
  settings: EngineSettings
  log: Log
  telemetry: Telemetry
  events: EventLog
}

/** In a checkout the source runs as it is; published, it was compiled. */
const entry = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url)

/** Several in the shortest limit (1 s) after which a loop is called wedged. */
const beatEveryMs = 200

/** A lookout with a thread of its own, which never keeps the process alive. */
export class ThreadLookout implements Lookout {
  readonly #ground: LookoutGround
  readonly #directory: string | null
  readonly #board = new BoardWriter()
  readonly #slots = new Map<string, number>()
  readonly #stuck = new Set<string>()
  readonly #ended = Promise.withResolvers<void>()
  #worker: Worker | null = null
  #beating: NodeJS.Timeout | null = null

  /** `wedged.json` is written into the directory; null: nowhere. */
  constructor(ground: LookoutGround, directory: string | null) {
    this.#ground = ground
    this.#directory = directory
    this.#board.limits(ground.settings.watch)
  }

  open(): void {
    const { holder } = this.#ground
    const level = this.#level ?? 'silent'
    const workerData: ThreadData = { board: this.#board.memory, holder, directory: this.#directory, level }
    const worker = new Worker(entry, { workerData, execArgv: threadOptions(process.execArgv), name: 'holdfast watch' })
    worker.on('message', (told: Told) => this.#hear(told))
    worker.on('error', (error) => this.#ground.log.error(recordOf(error), 'the thread that watches has ended'))
    worker.on('exit', () => this.#ended.resolve())
    worker.unref()
    this.#worker = worker
    this.#beating = setInterval(() => this.#board.beat(), beatEveryMs).unref()
  }

  begin(turn: Turn): void {
    const slot = this.#board.take(turn)
    if (slot !== null) this.#slots.set(turn.id, slot)
  }

  moved(turnId: string, note: string | null): void {
    const slot = this.#slots.get(turnId)
    if (slot !== undefined) this.#board.move(slot, note)
  }

  end(turnId: string): void {
    const slot = this.#slots.get(turnId)
    if (slot === undefined) return
    this.#slots.delete(turnId)
    this.#board.leave(slot)
  }

  isStuck(turnId: string): boolean {
    return this.#stuck.has(turnId)
  }

  setLimits(limits: WatchLimits): void {
    this.#board.limits(limits)
  }

  async close(): Promise<void> {
    if (this.#worker === null) return
    if (this.#beating !== null) clearInterval(this.#beating)
    this.#worker.ref()
    this.#board.beat()
    this.#board.close()
    await this.#ended.promise
  }

  /** Null: the log is not one that the thread can write to. */
  get #level(): ThreadData['level'] | null {
    const { level = '' } = this.#ground.log
    return level in levelNumbers ? (level as ThreadData['level']) : null
  }

  #hear(told: Told): void {
    const { events, telemetry } = this.#ground
    this.#logUnlessWritten(told)
    switch (told.kind) {
      case 'turn stuck':
        this.#stuck.add(told.turn.turnId)
        this.#tellTurn('turn.stuck', told)
        break
      case 'turn moves':
      case 'turn ended':
        this.#stuck.delete(told.turn.turnId)
        this.#tellTurn('turn.unstuck', told)
        break
      case 'loop wedged':
        telemetry.loopWedged()
        events.publish({ type: 'loop.wedged', stillMs: told.stillMs, turns: told.turns })
        break
      case 'loop goes round':
        events.publish({ type: 'loop.recovered', stillMs: told.stillMs })
    }
  }

  #tellTurn(type: 'turn.stuck' | 'turn.unstuck', { turn, stillMs }: Extract<Told, { turn: unknown }>): void {
    const { events, telemetry } = this.#ground
    const { note, ...ids } = turn
    telemetry.turnsStuck(this.#stuck.size)
    events.publish({ type, ...ids, stillMs })
  }

  /** The thread writes to standard error alone; the builder's own log hears of it here. */
  #logUnlessWritten(told: Told): void {
    if (this.#level !== null) return
    const { note, ...turn } = 'turn' in told ? told.turn : { note: '' }
    const facts = { ...turn, stillMs: told.stillMs }
    if (told.kind === 'turn moves' || told.kind === 'turn ended') this.#ground.log.info(facts, told.kind)
    else this.#ground.log.warn(facts, told.kind)
  }
}
