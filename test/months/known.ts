import type { SessionKey } from '../../src/model/keys.ts'
import type { Fact } from './journal.ts'

interface Stretch {
  fromMs: number
  /** Infinity while it lasts. */
  toMs: number
}

type Accepted = Extract<Fact, { is: 'accepted' }>
type Ended = Extract<Fact, { is: 'ended' }>

/** What the journal says of one session. Only what is certain: an act that nobody was told of is not in it. */
class KnownSession {
  /** When it was asked for something the first time: it was not made before. */
  firstMs = Number.POSITIVE_INFINITY
  /** When it was active. */
  readonly activeMs: number[] = []
  readonly pinned: Stretch[] = []
  /** Turns that waited or ran. */
  readonly turns = new Map<string, Stretch>()
  /** When a transcript was begun by a rule, by its number. */
  readonly begunMs = new Map<number, number>()

  /** The last activity up to then; null when none is known. */
  activeBefore(atMs: number): number | null {
    // of two acts at one moment of a clock that stands still nobody knows which came first
    const before = this.activeMs.filter((each) => each < atMs)
    return before.length === 0 ? null : Math.max(...before)
  }

  isPinned(atMs: number): boolean {
    return this.pinned.some(({ fromMs, toMs }) => fromMs < atMs && atMs < toMs)
  }

  isBusy(atMs: number): boolean {
    return [...this.turns.values()].some(({ fromMs, toMs }) => fromMs < atMs && atMs < toMs)
  }
}

/** The journal, read. Times are those of a clock that did not jump. */
export class Known {
  readonly accepted: Accepted[] = []
  readonly ended = new Map<string, Ended>()
  readonly sessions = new Map<SessionKey, KnownSession>()
  readonly open = new Map<string, { key: SessionKey; turnId: string }>()
  readonly copied: Extract<Fact, { is: 'copied' }>[] = []
  readonly swept: Extract<Fact, { is: 'swept' }>[] = []
  /** When a folder was about to be undone. */
  readonly undoes: Extract<Fact, { is: 'undoes' }>[] = []
  readonly undone: Extract<Fact, { is: 'undone' }>[] = []
  readonly memory: Extract<Fact, { is: 'memory' }>[] = []
  /** From when to when the wall clock was a year ahead, and a day of doubt after it. */
  suspect: Stretch | null = null
  refusedSweeps = 0
  resumed = 0
  lastMs = 0
  isClosed = false
  #aheadMs = 0

  session(key: SessionKey): KnownSession {
    const found = this.sessions.get(key) ?? new KnownSession()
    this.sessions.set(key, found)
    return found
  }

  get pinned(): SessionKey[] {
    return [...this.sessions]
      .filter(([, { pinned }]) => pinned.at(-1)?.toMs === Number.POSITIVE_INFINITY)
      .map(([key]) => key)
  }

  add(facts: readonly Fact[]): void {
    for (const fact of facts) this.#add({ ...fact, atMs: fact.atMs - this.#aheadMs })
  }

  #add(fact: Fact): void {
    const { atMs } = fact
    this.isClosed = fact.is === 'closed'
    if (fact.is !== 'ended') this.lastMs = atMs
    switch (fact.is) {
      case 'start':
      case 'time':
      case 'closed':
      case 'resets':
        return
      case 'asks': {
        const session = this.session(fact.key)
        session.firstMs = Math.min(session.firstMs, atMs)
        return
      }
      case 'accepted': {
        const { key, turnId, begun } = fact
        this.accepted.push(fact)
        this.#began(key, turnId, atMs)
        if (begun !== null) this.session(key).begunMs.set(begun, atMs)
        return
      }
      case 'runs':
        if (fact.attempt > 1) this.resumed += 1
        this.#began(fact.key, fact.turnId, Math.min(atMs, admittedMsOf(fact.turnId) - this.#aheadMs))
        return
      case 'ended': {
        const { key, turnId } = fact
        const session = this.session(key)
        // What ends without a run of its own, by a plan or a person, is nothing that the session did.
        if (fact.status === 'done' || fact.code === 'RUNNER_FAILED') session.activeMs.push(atMs)
        const turn = session.turns.get(turnId)
        if (turn !== undefined) turn.toMs = atMs
        this.open.delete(turnId)
        this.ended.set(turnId, fact)
        return
      }
      case 'pinned':
        this.session(fact.key).pinned.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
        return
      case 'unpins': {
        const pin = this.session(fact.key).pinned.at(-1)
        if (pin !== undefined) pin.toMs = atMs
        return
      }
      case 'copied':
        this.copied.push(fact)
        return
      case 'swept':
        this.swept.push(fact)
        return
      case 'suspect':
        this.refusedSweeps += 1
        return
      case 'undoes':
        this.undoes.push(fact)
        return
      case 'undone':
        this.undone.push(fact)
        return
      case 'memory':
        this.memory.push(fact)
        return
      case 'jumped':
        this.#aheadMs += fact.byMs
        // A fact is noted after the jump: by the clock before it is so much less.
        if (fact.byMs > 0) this.suspect = { fromMs: atMs - fact.byMs, toMs: Number.POSITIVE_INFINITY }
        else if (this.suspect !== null) this.suspect.toMs = atMs - fact.byMs + 24 * 3_600_000
        this.lastMs = atMs - fact.byMs
    }
  }

  #began(key: SessionKey, turnId: string, atMs: number): void {
    const session = this.session(key)
    session.firstMs = Math.min(session.firstMs, atMs)
    if (session.turns.has(turnId)) return // that it runs, and runs again, is no new activity
    session.activeMs.push(atMs)
    session.turns.set(turnId, { fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
    if (!this.ended.has(turnId)) this.open.set(turnId, { key, turnId })
  }
}

/** An id begins with the time of its admission. A turn that the clock started may have waited for the next process. */
const admittedMsOf = (turnId: string): number => Number.parseInt(turnId.replace('-', '').slice(0, 12), 16)
