import { dirname } from 'node:path'
import { isHoldfastError } from '../../model/errors.ts'
import { claimName, releaseName } from '../files/claim.ts'
import type { Identity } from '../files/identity.ts'
import { rootOf } from '../files/place.ts'
import { readSmall } from '../files/text.ts'
import { payloadBytesMax } from '../gateway/payload.ts'
import { lockPayload } from '../index/store/lock.ts'
import { clearable } from '../locks/clear.ts'
import type { HomeFacts } from '../survey/facts.ts'
import { pathOf } from './steps.ts'

/** A batch takes seconds; a gateway calls a lock stale after as long as it says. Unit: ms. */
const holdMs = 5 * 60_000

/**
 * The lock files of transcripts (`<file>.lock`), taken as a gateway takes them while it is down, for other tools that honour them. Nothing
 * relies on them: a gateway takes such a lock from everybody whose command line is not its own.
 */
export class Claims implements Disposable {
  readonly #home: { dir: string }
  readonly #text: string
  /** Told to the run, so that our own lock does not keep it out. */
  readonly #held: Set<string>
  readonly #claims = new Map<string, Identity>()

  constructor(home: { dir: string }, held: Set<string>, nowMs: number) {
    this.#home = home
    this.#held = held
    this.#text = lockPayload(nowMs, holdMs)
  }

  /** False where somebody else has it. @throws HoldfastError HOME_READ_ONLY, STORE_FULL, STORE_IO, HOME_UNSAFE */
  take(path: string): boolean {
    const lock = `${path}.lock`
    const identity = claimName(rootOf(this.#home, dirname(path)), lock, this.#text)
    if (identity === null) return false
    this.#claims.set(lock, identity)
    this.#held.add(lock)
    return true
  }

  release(path: string): void {
    const lock = `${path}.lock`
    const identity = this.#claims.get(lock)
    if (identity === undefined) return
    this.#claims.delete(lock)
    this.#held.delete(lock)
    releaseName(rootOf(this.#home, dirname(lock)), lock, identity)
  }

  [Symbol.dispose](): void {
    for (const lock of [...this.#claims.keys()]) this.release(lock.replace(/\.lock$/, ''))
  }
}

/** What was on its way to become a lock of ours. */
const unfinished = /\.lock\.holdfast-[0-9a-f]{8}\.new$/
/** Younger ones may be on their way right now. Unit: ms. */
const unfinishedMs = 60_000

/**
 * The facts without what a process of ours had made and was killed over: lock files of its own, and those that were on their way. With
 * `remove` they are gone from the disk as well: nobody but us ever knew of them, so that is no change of the home.
 */
export async function withoutOwnLocks(facts: HomeFacts, remove: boolean): Promise<HomeFacts> {
  const agents: HomeFacts['agents'] = []
  for (const agent of facts.agents) {
    const root = rootOf(facts.home, agent.sessionsDir)
    const own = new Map<string, Identity>()
    for (const lock of agent.locks) {
      if (clearable(lock) !== null && (await isOurs(root, lock.path))) own.set(lock.path, lock.identity)
    }
    for (const { name, mtimeMs, identity } of agent.files) {
      if (unfinished.test(name) && facts.nowMs - mtimeMs > unfinishedMs) own.set(pathOf(agent, name), identity)
    }
    if (remove) for (const [path, identity] of own) releaseName(root, path, identity)
    const isOther = (path: string) => !own.has(path)
    const files = agent.files.filter(({ name }) => isOther(pathOf(agent, name)))
    agents.push({ ...agent, files, locks: agent.locks.filter(({ path }) => isOther(path)) })
  }
  return { ...facts, agents }
}

async function isOurs(root: string, path: string): Promise<boolean> {
  try {
    const file = await readSmall(root, path, payloadBytesMax)
    return file !== null && /"holdfast": \{/.test(file.data.toString())
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return false
  }
}
