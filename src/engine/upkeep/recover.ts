import { timedId } from '../../host/random.ts'
import { type ErrorCode, isHoldfastError, recordOf } from '../../model/errors.ts'
import type { Turn } from '../../model/turns.ts'
import { nameOf, type RecoveryStep } from '../../recovery/plan.ts'
import { disabled, judgeStarts, withStartNow } from '../../recovery/starts.ts'
import { type Ground, persist } from '../ground.ts'
import { pause } from '../waiting.ts'
import { type Known, planNow } from './facts.ts'
import { expireEnded } from './inherit.ts'
import { takeStep } from './step.ts'

/** What the recovery does to the rest of the engine. */
export interface RecoveryHands {
  /** A turn ended without having run. */
  concluded(turn: Turn): void
  admitted(turn: Turn): void
  wake(): void
  /** What ended processes were sending is marked: deliveries may begin. */
  deliver(): void
}

export interface RecoveryState {
  resumes: 'on' | 'off'
  /** Why they are off. */
  because: string | null
  crashLoop: boolean
  /** Starts after an unclean end that count, this one included. */
  uncleanStarts: number
  /** Until resumes go on by themselves. */
  onInMs: number | null
  /** Turns that this process has queued to run again. */
  resumed: number
}

export type DoneStep = RecoveryStep & { result: 'done' | ErrorCode }

export interface RecoveryReport {
  /** False: no process runs turns on this store; the plan is what one would do if it started now. */
  started: boolean
  state: RecoveryState
  /** What this process has done, oldest first; the newest thousand. */
  done: DoneStep[]
  todo: RecoveryStep[]
  /** There is more to do than is told. */
  more: boolean
}

/** Steps taken at once: they share a commit, and a few of them hold the writer for milliseconds. */
const atOnce = 8
const doneMax = 1_000
const todoMax = 1_000
/** While something waits: so that what has become too old is told. */
const lookAgainMs = 60_000
/** How soon after a process that shares the store has lapsed its turns go on. Unit: ms. */
const lookForOthersMs = 2_000

/** What becomes of everything that an earlier process left unfinished. */
export class Recovery {
  readonly #ground: Ground
  readonly #hands: RecoveryHands
  readonly #runsTurns: boolean
  readonly #openedSteadyMs: number
  readonly #done: DoneStep[] = []
  readonly #givenUp = new Set<string>()
  #loop: { because: string } | null = null
  #unclean = 0
  #resumed = 0
  #inherited = false
  #running: Promise<unknown> = Promise.resolve()

  constructor(ground: Ground, hands: RecoveryHands, runsTurns: boolean) {
    this.#ground = ground
    this.#hands = hands
    this.#runsTurns = runsTurns
    this.#openedSteadyMs = ground.clock.steadyMs()
  }

  /** Where turns are run nothing is waited for: new messages are taken and answered meanwhile, also on a full disk. */
  async begin(): Promise<void> {
    if (!this.#runsTurns) return this.#inherit()
    this.#ground.background.insist('recovery', async () => {
      await persist(this.#ground, 'recovery', () => this.#tryNoteStart())
      await persist(this.#ground, 'recovery', () => this.#inherit())
      const { store, clock, over } = this.#ground
      const lookMs = store.shared ? lookForOthersMs : lookAgainMs
      while ((await this.#run(this.#offBecause)) || this.#loop !== null || store.shared) {
        const leftMs = this.#loop === null ? lookMs : this.#loopLeftMs
        if (!(await pause(clock, Math.min(leftMs, lookMs), over))) return
        this.#noteEndOfLoop()
        if (store.shared) await this.#tryInherit()
      }
    })
  }

  async state(): Promise<RecoveryState> {
    const { clock, settings, store } = this.#ground
    if (this.#runsTurns) {
      const because = this.#offBecause
      const onInMs = because !== null && settings.recovery.enabled ? this.#loopLeftMs : null
      return this.#stateOf(because, this.#loop !== null, this.#unclean, onInMs)
    }
    const starts = withStartNow(await store.listStarts(), clock.nowMs())
    const { because, crashLoop, unclean } = judgeStarts({ starts, nowMs: clock.nowMs() }, settings.recovery)
    return this.#stateOf(because, crashLoop, unclean, null)
  }

  /** The plan as it is now, and what was done; nothing is changed. */
  async report(): Promise<RecoveryReport> {
    const state = await this.state()
    const { steps, more } = await planNow(this.#ground, this.#known(state.because))
    const todo = steps.slice(0, todoMax)
    return { started: this.#runsTurns, state, done: [...this.#done], todo, more: more || steps.length > todoMax }
  }

  /** Carries the plan out now, also when resumes are off. Where no turns are run, they are queued for who does. */
  async runNow(): Promise<RecoveryReport> {
    await this.#run(null)
    return this.report()
  }

  /** Other settings hold: what waited for them is done soon. */
  wake(): void {
    if (!this.#runsTurns || !this.#inherited) return // it has yet to look for the first time
    this.#ground.background.run('recovery', async () => void (await this.#run(this.#offBecause)))
  }

  /** A turn in quarantine runs again as a new one. @throws HoldfastError TURN_NOT_FOUND, TURN_NOT_QUARANTINED */
  async release(turnId: string): Promise<Turn> {
    const atMs = this.#ground.clock.nowMs()
    const turn = await this.#ground.store.releaseTurn({ turnId, newTurnId: timedId(atMs), atMs })
    this.#hands.admitted(turn)
    return turn
  }

  get #loopLeftMs(): number {
    const { clock, settings } = this.#ground
    return Math.max(0, this.#openedSteadyMs + settings.recovery.crashLoop.withinMs - clock.steadyMs())
  }

  get #offBecause(): string | null {
    return this.#ground.settings.recovery.enabled ? (this.#loop?.because ?? null) : disabled
  }

  #stateOf(because: string | null, crashLoop: boolean, uncleanStarts: number, onInMs: number | null): RecoveryState {
    const resumes = because === null ? 'on' : 'off'
    return { resumes, because, crashLoop, uncleanStarts, onInMs, resumed: this.#resumed }
  }

  #known(offBecause: string | null): Known {
    return { resumed: this.#resumed, offBecause, inherited: this.#inherited, givenUp: this.#givenUp }
  }

  /** Where starts cannot be read or written, no crash loop is seen; everything else goes on. */
  async #tryNoteStart(): Promise<void> {
    try {
      await this.#noteStart()
    } catch (error) {
      if (!isHoldfastError(error, 'STORE_CORRUPT')) throw error
      this.#ground.log.error({ ...recordOf(error) }, 'the start cannot be noted: a crash loop would not be seen')
    }
  }

  async #noteStart(): Promise<void> {
    const { store, holder, clock, settings, events, log, telemetry } = this.#ground
    const nowMs = clock.nowMs()
    const starts = await store.recordStart({ holder, atMs: nowMs })
    // judged as if nothing were disabled: a crash loop is told of in any case
    const verdict = judgeStarts({ starts, nowMs }, { ...settings.recovery, enabled: true })
    this.#unclean = verdict.unclean
    if (verdict.because === null || this.#loop !== null) return
    this.#loop = { because: verdict.because }
    telemetry.crashLoop(true)
    events.publish({ type: 'recovery.crash-loop', uncleanStarts: verdict.unclean })
    log.error({ uncleanStarts: verdict.unclean }, 'the gateway ended too often in a short time: nothing is resumed')
  }

  #noteEndOfLoop(): void {
    const { events, log, telemetry } = this.#ground
    if (this.#loop === null || this.#loopLeftMs > 0) return
    this.#loop = null
    this.#unclean = 0
    telemetry.crashLoop(false)
    events.publish({ type: 'recovery.calm' })
    log.warn({}, 'the gateway has lived long enough: interrupted turns are resumed again')
  }

  /** Leases and deliveries of processes that have ended. */
  async #inherit(): Promise<void> {
    const { store, clock } = this.#ground
    try {
      await expireEnded(this.#ground)
      if (this.#inherited && !store.shared) return
      await store.markUnknownDeliveries({ atMs: clock.nowMs() })
      if (this.#inherited) return
      this.#inherited = true
      this.#hands.deliver()
    } catch (error) {
      // Opened for reading only, nothing is inherited: another process owns it.
      if (!isHoldfastError(error, 'STORE_READ_ONLY')) throw error
    }
  }

  /** While the store cannot be reached nothing is known of others; the next look may. */
  async #tryInherit(): Promise<void> {
    try {
      await this.#inherit()
    } catch (error) {
      if (!isHoldfastError(error, 'STORE_IO')) throw error
      this.#ground.log.debug({ ...recordOf(error) }, 'it cannot be seen which processes live')
    }
  }

  /** One at a time. Gives whether turns wait for resumes to be on. */
  #run(offBecause: string | null): Promise<boolean> {
    const run = this.#running.then(() => this.#rounds(offBecause))
    this.#running = run.catch(() => {}) // its own caller hears of it
    return run
  }

  async #rounds(offBecause: string | null): Promise<boolean> {
    for (;;) {
      const { steps, more } = await planNow(this.#ground, this.#known(offBecause))
      const work = steps.filter(isWork)
      const waits = steps.some(({ kind }) => kind === 'wait')
      if (work.length === 0) return waits
      this.#ground.events.publish({ type: 'recovery.planned', turns: work.length })
      for (let at = 0; at < work.length && !this.#ground.over.aborted; at += atOnce) {
        await Promise.all(work.slice(at, at + atOnce).map((step) => this.#take(step)))
      }
      if (this.#ground.over.aborted) return false
      if (!more && !work.some(({ kind }) => kind === 'repair first')) return waits
    }
  }

  async #take(step: RecoveryStep): Promise<void> {
    const { log, telemetry } = this.#ground
    try {
      if (step.kind === 'resume') this.#resumed += 1
      const turn = await takeStep(this.#ground, step)
      log.info({ turnId: step.turnId, step: nameOf(step), because: step.because }, 'recovery')
      telemetry.recovered(nameOf(step))
      this.#note({ ...step, result: 'done' })
      if (step.kind === 'resume') this.#hands.wake()
      else if (turn !== null) this.#hands.concluded(turn)
    } catch (error) {
      if (isHoldfastError(error, 'TURN_SETTLED')) return // somebody has cancelled it meanwhile
      if (isHoldfastError(error, 'STORE_CLOSED') || this.#ground.over.aborted) throw error
      // one turn that cannot be helped keeps no other waiting
      const { code, facts } = recordOf(error)
      this.#givenUp.add(step.turnId)
      log.error({ ...facts, turnId: step.turnId, step: nameOf(step), code }, 'a step of the recovery failed')
      this.#note({ ...step, result: code })
    }
  }

  #note(step: DoneStep): void {
    this.#done.push(step)
    if (this.#done.length > doneMax) this.#done.shift()
  }
}

/** What a run has a hand in. */
const isWork = ({ kind }: RecoveryStep) => kind !== 'wait' && kind !== 'retry delivery' && kind !== 'skip delivery'
