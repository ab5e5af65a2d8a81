import type { ErrorRecord } from '../model/errors.ts'
import type { Lease } from '../model/holders.ts'
import type { LaneName } from '../model/lanes.ts'
import type { Session } from '../model/sessions.ts'
import type { Turn, TurnStatus, WaitCause } from '../model/turns.ts'
import { formatDuration } from '../model/units.ts'
import type { QueueReading } from '../store/waits.ts'
import type { CompactionReport } from './compact/record.ts'

/** Who has a session, since when, what it last did, what waits and why, and what happens next. */
export interface WhyReport {
  session: Session
  lease: Lease | null
  running: WhyRunning | null
  waiting: { turnId: string; waitedMs: number; cause: WaitCause; source: string }[]
  /** All of the session's waiting turns, the named ones and those beyond. */
  queue: {
    waiting: number
    oldestWaitMs: number | null
    /** Turns of its lane that were queued before the session's next one. */
    aheadInLane: number
  }
  compaction: CompactionReport
  store: { writable: boolean; because: ErrorRecord | null }
  /** One sentence. */
  next: string
}

interface WhyRunning {
  turn: Turn
  operation: string
  sinceMs: number
  lastProgressMs: number
  lastProgressNote: string
  attempts: number
  cancelRequested: string | null
  /** It shows no sign of life for longer than `watch.stuckAfter`. */
  stuck: boolean
}

export interface WhyFacts {
  session: Session
  lease: Lease | null
  /** The turn of the lease. */
  running: Turn | null
  /** What this process knows of it; null when it does not run it. */
  progress: { sinceMs: number; atMs: number; note: string; stuck: boolean } | null
  /** Queued and interrupted turns, oldest first. */
  waiting: readonly Turn[]
  queue: QueueReading
  laneIsFull: (turn: Turn) => boolean
  compaction: CompactionReport
  store: { writable: boolean; because: ErrorRecord | null }
  limits: { timeLimitMs: number; stallLimitMs: number; stuckAfterMs: number }
  /** What the engine does with waiting turns: it may run none, or be about to end. */
  mode: 'running' | 'not running turns' | 'closing'
  /** Why interrupted turns are not resumed, and until when; null and null while they are. */
  resumes: { because: string | null; onInMs: number | null }
  /** Why its next message begins a new transcript; null when it does not. */
  resetBecause: string | null
  nowMs: number
}

export function composeWhy(facts: WhyFacts): WhyReport {
  const { session, lease, compaction, store } = facts
  const running = runningOf(facts)
  const waiting = facts.waiting.map((turn) => ({
    turnId: turn.id,
    waitedMs: Math.max(0, facts.nowMs - turn.admittedAtMs),
    cause: causeOf(
      {
        ...{ status: turn.status, lane: turn.lane, first: facts.waiting[0] === turn },
        held: lease === null ? null : facts.progress === null ? 'elsewhere' : 'here',
      },
      store.writable,
    ),
    source: turn.source,
  }))
  const { waiting: depth, oldestAtMs, aheadInLane } = facts.queue
  const oldestWaitMs = oldestAtMs === null ? null : Math.max(0, facts.nowMs - oldestAtMs)
  const queue = { waiting: depth, oldestWaitMs, aheadInLane }
  return { session, lease, running, waiting, queue, compaction, store, next: nextOf(facts, running) }
}

function runningOf({ lease, running: turn, progress, limits, nowMs }: WhyFacts): WhyRunning | null {
  if (lease === null || turn === null) return null
  return {
    turn,
    operation: lease.operation,
    sinceMs: progress?.sinceMs ?? lease.takenAtMs,
    lastProgressMs: progress?.atMs ?? lease.progressAtMs,
    lastProgressNote: progress?.note ?? lease.progressNote,
    attempts: turn.attempts,
    cancelRequested: turn.cancelRequested,
    stuck: progress?.stuck ?? nowMs - lease.progressAtMs >= limits.stuckAfterMs,
  }
}

/** What is known of one waiting turn. */
export interface WaitFacts {
  status: TurnStatus
  lane: LaneName
  /** Nothing of its own session waits before it. */
  first: boolean
  /** Who has its session: a turn that this process runs, or somebody else. */
  held: 'here' | 'elsewhere' | null
}

/** Why a turn waits now; for all who tell of it. */
export function causeOf({ status, lane, first, held }: WaitFacts, writable: boolean): WaitCause {
  if (!writable) return 'disk'
  if (status === 'interrupted') return 'recovery'
  if (held !== null) return held === 'here' ? 'session' : 'lease'
  if (!first) return 'session'
  return lane === 'resume' ? 'recovery' : 'lane'
}

function nextOf(facts: WhyFacts, running: WhyRunning | null): string {
  const { store, mode, nowMs } = facts
  const first = facts.waiting.find((turn) => turn.status === 'queued') ?? facts.waiting[0]
  if (!store.writable) return 'The store cannot write; turns go on by themselves when it can again.'
  if (running !== null) {
    if (mode === 'closing') return 'The gateway is closing; the running turn ends or is run again at the next start.'
    if (running.cancelRequested !== null)
      return 'The running turn was told to stop and is cut off after its grace period.'
    const lifeLeftMs = running.sinceMs + facts.limits.timeLimitMs - nowMs
    const stallLeftMs = running.lastProgressMs + facts.limits.stallLimitMs - nowMs
    const least = Math.max(0, Math.min(lifeLeftMs, stallLeftMs))
    const limit = stallLeftMs < lifeLeftMs ? 'without progress it is stopped' : 'it is stopped by its time limit'
    const then = first === undefined ? '' : ', and the next turn starts'
    return `The running turn ends, or ${limit} in ${formatDuration(least)}${then}.`
  }
  if (first === undefined) {
    const anew = facts.resetBecause === null ? '' : `, in a new transcript (${facts.resetBecause})`
    return `Nothing waits; the next message starts at once${anew}.`
  }
  if (mode === 'not running turns') return 'Turns are not run here; the next gateway on this data runs them.'
  if (mode === 'closing') return 'The gateway is closing; the waiting turns run at the next start.'
  if (first.status === 'interrupted') return nextOfInterrupted(facts.resumes)
  if (facts.laneIsFull(first))
    return `The first waiting turn starts when a slot of the lane "${first.lane}" is free for it.`
  return 'The first waiting turn starts at once, or when the window for joining messages has closed.'
}

function nextOfInterrupted({ because, onInMs }: WhyFacts['resumes']): string {
  if (because === null) return 'The interrupted turn is run again when it is its turn to be resumed.'
  const until = onInMs === null ? '' : ` They go on by themselves in ${formatDuration(onInMs)}.`
  return `The interrupted turn waits, since resumes are off: ${because}.${until} \`holdfast recover --run\` runs it now.`
}
