import type { EntryFacts } from '../index/facts.ts'
import type { AgentFacts, HomeFacts } from './facts.ts'

/** A session that says it runs, and what the next start of the gateway does with it. */
export interface Interrupted {
  agent: AgentFacts
  entry: EntryFacts
  /** The start goes on with it by itself; else its entry says `running` until its next message. */
  resumes: boolean
}

const neverResumed = /^agent:[^:]+:(?:cron|acp):/

/**
 * What nothing runs although it says so. While a gateway lives, what it may be running is left out: everything that was used since it
 * started, and everything where that cannot be told. A start resumes a session that is `running` and was marked as cut off, or whose
 * transcript it finds locked by an ended process. Source: restart recovery of openclaw 2026.5.18 and 2026.7.1.
 */
export function interruptedOf({ agents, gateway }: Pick<HomeFacts, 'agents' | 'gateway'>): Interrupted[] {
  const liveSinceMs = gateway.state === 'stopped' ? null : gateway.state === 'running' ? (gateway.sinceMs ?? 0) : 0
  return agents.flatMap((agent) => {
    if (agent.index.state !== 'read') return []
    const dead = new Set(
      agent.locks.filter(({ verdict }) => verdict === 'dead' || verdict === 'recycled').map(({ path }) => nameOf(path)),
    )
    return agent.index.entries.flatMap((entry): Interrupted[] => {
      const isChild = entry.kind === 'subagent'
      const saysRunning = entry.status === 'running' || (isChild && entry.abortedLastRun)
      if (!saysRunning || (liveSinceMs !== null && entry.usedAtMs >= liveSinceMs)) return []
      const wasCutOff = entry.abortedLastRun || (!isChild && dead.has(`${entry.transcript}.lock`))
      return [{ agent, entry, resumes: wasCutOff && !neverResumed.test(entry.key) }]
    })
  })
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
