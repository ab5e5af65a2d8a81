import { formatDuration } from '../../../model/units.ts'
import { factsOfKey } from '../../home/keys.ts'
import { namedIn } from '../../home/receipts.ts'
import type { EntryFacts } from '../../index/facts.ts'
import type { AgentFacts, FileFacts, HomeFacts } from '../../survey/facts.ts'
import { pathOf } from '../steps.ts'
import type { Session } from './sessions.ts'

/** Only these are proven to be held by nobody. */
const stale: ReadonlySet<string> = new Set(['dead', 'recycled', 'malformed'])

const kindsThatStay: Partial<Record<EntryFacts['kind'], string>> = {
  main: 'it is the main session',
  group: 'it is a group or a channel',
  thread: 'it is a thread or a topic',
}

/** What must not be touched, whatever a limit, the cap or the disk budget says. */
export class Staying {
  readonly #facts: HomeFacts
  readonly #agent: AgentFacts
  /** By the name of what is locked. */
  readonly #held: Set<string>
  readonly #isReceipt: (path: string) => boolean
  readonly #others: ReadonlySet<string>

  /** `others`: names of files that sessions of other agents use. */
  constructor(facts: HomeFacts, agent: AgentFacts, others: ReadonlySet<string> = new Set()) {
    this.#others = others
    this.#facts = facts
    this.#agent = agent
    this.#held = new Set(agent.locks.filter(({ verdict }) => !stale.has(verdict)).map(({ path }) => lockedName(path)))
    this.#isReceipt = namedIn(facts.home.receipts)
  }

  /** Why this session stays; null: it may go. */
  session(session: Session): string | null {
    if (session.elsewhere !== null) return session.elsewhere
    for (const entry of session.entries) {
      const because = this.#entry(entry)
      if (because !== null) return because
    }
    if (session.usedAtMs > 0 && this.#isRecent(session.usedAtMs)) return 'it was used just now'
    for (const file of session.files) {
      const because = this.file(file)
      if (because !== null) return because
    }
    return null
  }

  #entry({ key, kind, transcript, pinned, pending, status, usedAtMs }: EntryFacts): string | null {
    const { gateway, nowMs, home } = this.#facts
    const ofKind = kindsThatStay[kind]
    const { standing } = factsOfKey(key)
    if (ofKind !== undefined && standing !== 'errand') return ofKind
    if (standing === 'protected') return 'it is one of many people'
    if (pinned) return 'it is pinned'
    if (pending) return 'it waits for a delivery or for a child'
    if (transcript !== null && this.#held.has(transcript)) return 'it is locked'
    if (status !== 'running') return null
    if (gateway.state !== 'stopped') return 'it may be running'
    const isResumed = usedAtMs > 0 && nowMs - usedAtMs <= home.policy.resumeAgeMs
    return isResumed ? 'it was interrupted, and the next start goes on with it' : null
  }

  /** Why this file stays; null: it may go. */
  file({ name, mtimeMs, links }: FileFacts): string | null {
    if (this.#held.has(name)) return 'it is locked'
    if (this.#others.has(name)) return 'a session of another agent uses it'
    if (this.#isRecent(mtimeMs)) return 'it was written just now'
    if (links > 1) return `it has ${links} names (hard links)`
    return this.#isReceipt(pathOf(this.#agent, name)) ? 'a migration to SQLite names it' : null
  }

  #isRecent(atMs: number): boolean {
    return this.#facts.nowMs - atMs < this.#facts.home.policy.recentMs
  }
}

/** Of what a lock file is the lock. */
export function lockedName(lockPath: string): string {
  return lockPath.slice(Math.max(lockPath.lastIndexOf('/'), lockPath.lastIndexOf('\\')) + 1).replace(/\.lock$/, '')
}

/** `unused for 12d 3h; the limit is 5d (openclaw.json)`. */
export function pastLimit(what: string, limitMs: number, source: string | undefined): string {
  return `${what}; the limit is ${formatDuration(limitMs)}${source === undefined ? '' : ` (${source})`}`
}
