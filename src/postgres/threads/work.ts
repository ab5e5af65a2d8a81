import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../host/clock.ts'
import { type ReadVerb, readVerbs } from '../../relational/read-verbs.ts'
import type { Place } from '../../relational/reads/place.ts'
import { searchEntries } from '../../relational/reads/search.ts'
import { turnSql } from '../../relational/statements/turns.ts'
import type { Steps } from '../../relational/steps.ts'
import type { StoredAppend } from '../../relational/verbs/entries.ts'
import { TurnsTaken } from '../../relational/verbs/lanes.ts'
import type { Work } from '../../relational/verbs/work.ts'
import { type WriteVerb, type WriteVerbs, writeVerbs } from '../../relational/write-verbs.ts'
import type { SearchQuery } from '../../store/sessions.ts'
import { bytesOf } from '../database/bytes.ts'
import type { Pool } from '../database/connection.ts'
import { failures, isCollision, isLost, isNameless } from '../database/failures.ts'
import { locksOf } from '../database/locks.ts'
import { perform } from '../database/perform.ts'
import { inOneTrip, inSnapshot, inTransaction, OutcomeUnknown } from '../database/transaction.ts'
import { backup, giveBack, scrub } from '../keep/elsewhere.ts'
import { verify } from '../keep/verify.ts'
import { appendAtOnce, headAfter } from '../verbs/append.ts'
import { announce, listHolders, takeDuty } from '../verbs/holders.ts'

/** How long a verb is tried again while the database cannot be reached. Unit: ms. */
const patienceMs = 8_000

/** Between two tries, doubled each time, and with chance in it: two that met do not meet again. Unit: ms. */
const pauseMs = { first: 2, max: 500 }

/** How old the count of all waiting turns may be, which other gateways change too. Unit: ms. */
const countMaxAgeMs = 1_000

const place: Place = { bytes: bytesOf }

/** Verbs on a pool of connections. */
export class Verbs {
  readonly #pool: Pool
  readonly #returning = new Set<number>()
  #queued = 0
  #countedMs = Number.NEGATIVE_INFINITY

  constructor(pool: Pool) {
    this.#pool = pool
  }

  act(verb: string, input: unknown): Promise<unknown> {
    if (verb in writeVerbs) return this.#write(verb as keyof WriteVerbs, input)
    const read = readVerbs[verb as keyof typeof readVerbs] as ReadVerb | undefined
    if (read !== undefined) return this.#read((db) => perform(db, read(input, place)))
    switch (verb) {
      case 'searchEntries':
        return this.#read((db) => perform(db, searchEntries(input as SearchQuery)))
      case 'verify':
        return this.#read((db) => verify(db, input as { quick: boolean }))
      case 'announce':
        return this.#steps(() => announce(input as Parameters<typeof announce>[0]))
      case 'takeDuty':
        return this.#steps(() => takeDuty(input as Parameters<typeof takeDuty>[0]))
      case 'listHolders':
        return this.#read((db) => perform(db, listHolders()))
      case 'backup':
        return backup()
      case 'giveBack':
        return giveBack()
      default:
        return this.#retried(() => inTransaction(this.#pool, scrub))
    }
  }

  /** The same again changes nothing: verbs find what an earlier try of theirs has written. */
  async #write(verb: keyof WriteVerbs, input: unknown): Promise<unknown> {
    if (verb === 'admitTurn' || verb === 'startJob') await this.#countAgain()
    if (verb === 'appendEntries') {
      const appended = await this.#appendAtOnce(input as StoredAppend)
      if (appended !== undefined) return appended
    }
    return this.#retried((again) =>
      inTransaction(this.#pool, async (db) => {
        const work = this.#work(again)
        const before = work.queue.total
        const locks = locksOf(verb, input)
        if (locks !== null) await perform(db, locks)
        const value = await perform(db, (writeVerbs[verb] as WriteVerb)(work, input))
        return { value, added: work.queue.total - before }
      }).then(({ value, added }) => {
        this.#queued += added
        return value
      }),
    )
  }

  /** Undefined when the general way has to decide. */
  async #appendAtOnce(input: StoredAppend): Promise<{ head: number } | undefined> {
    const append = appendAtOnce(input, this.#pool.schema)
    if (append === null) return undefined
    return headAfter(await this.#retried(() => inOneTrip(this.#pool, append.text, append.values)))
  }

  #steps<T>(steps: () => Steps<T>): Promise<T> {
    return this.#retried(() => inTransaction(this.#pool, (db) => perform(db, steps())))
  }

  #read<T>(act: Parameters<typeof inSnapshot<T>>[1]): Promise<T> {
    return this.#retried(() => inSnapshot(this.#pool, act))
  }

  async #retried<T>(act: (again: boolean) => Promise<T>): Promise<T> {
    const endMs = systemClock.steadyMs() + patienceMs
    let again = false
    for (let waitMs = pauseMs.first; ; waitMs = Math.min(waitMs * 2, pauseMs.max)) {
      try {
        return await act(again)
      } catch (error) {
        const unknown = error instanceof OutcomeUnknown
        const nameless = isNameless(error)
        if (nameless) this.#pool.named = false
        const met = error instanceof TurnsTaken || isCollision(error) || nameless
        const over = systemClock.steadyMs() > endMs || (met && waitMs >= pauseMs.max)
        if (error instanceof TurnsTaken && over) return null as T // others are quicker, and have left nothing for us
        if (over || !(unknown || met || isLost(error))) throw unknown ? error.cause : error
        again ||= unknown
        await sleep(waitMs / 2 + randomInt(Math.max(1, Math.ceil(waitMs))))
      }
    }
  }

  #work(again: boolean): Work {
    return {
      queue: { total: this.#queued },
      returning: this.#returning,
      again,
      failures,
      requireRoom: () => {}, // the server refuses by itself what its disk does not hold
      lookForRoom: () => {},
    }
  }

  /** The bound on all waiting turns counts what other gateways admitted up to a second ago. */
  async #countAgain(): Promise<void> {
    const nowMs = systemClock.steadyMs()
    if (nowMs - this.#countedMs < countMaxAgeMs) return
    this.#countedMs = nowMs
    const { rows } = await this.#read((db) => db.query(turnSql.countQueued))
    this.#queued = (rows[0] as { count: number }).count
  }
}
