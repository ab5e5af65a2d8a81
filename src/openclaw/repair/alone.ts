import { join } from 'node:path'
import { namedIn } from '../home/receipts.ts'
import type { AgentFacts, FileFacts, HomeFacts } from '../survey/facts.ts'

/** Why transcripts are left alone, whatever is wrong with them. */
export class Alone {
  readonly #facts: HomeFacts
  readonly #agent: AgentFacts
  readonly #locks: ReadonlyMap<string, string>
  readonly #named: ReadonlySet<string> | null
  readonly #isReceipt: (path: string) => boolean

  constructor(facts: HomeFacts, agent: AgentFacts) {
    this.#facts = facts
    this.#agent = agent
    this.#locks = new Map(agent.locks.map(({ path, verdict }) => [path, verdict]))
    const { index } = agent
    this.#named = index.state === 'unreadable' ? null : new Set(namesIn(index))
    this.#isReceipt = namedIn(facts.home.receipts)
  }

  /** null: it may be mended. */
  because({ name, mtimeMs, links }: FileFacts): string | null {
    const path = join(this.#agent.sessionsDir, name)
    const { gateway, home, nowMs } = this.#facts
    if (this.#isReceipt(path)) return 'a migration to SQLite names it'
    const lock = this.#locks.get(`${path}.lock`)
    if (lock === 'live' || lock === 'unknown') return 'it is locked by somebody who may be at work'
    if (lock !== undefined) return 'a lock of an ended process stands beside it: `holdfast locks clear` first'
    if (links > 1) return `it has ${links} names (hard links)`
    if (gateway.state === 'stopped') return null
    const who = gateway.state === 'running' ? 'the gateway runs' : `a gateway may run (${gateway.because})`
    if (this.#named === null) return `${who}, and the index does not tell what it uses`
    if (this.#named.has(name)) return `${who} and may write to it: stop it, or leave this to \`holdfast prestart\``
    return nowMs - mtimeMs < home.policy.recentMs ? `${who}, and it was written just now` : null
  }
}

function namesIn(index: AgentFacts['index']): string[] {
  if (index.state !== 'read') return []
  return index.entries.flatMap(({ transcript }) => (transcript === null ? [] : [transcript]))
}
