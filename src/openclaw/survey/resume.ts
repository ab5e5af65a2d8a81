import type { EntryFacts } from '../index/facts.ts'
import type { AgentFacts, HomeFacts } from './facts.ts'

/** A session that says it runs, and what the next start of the gateway does with it. */
export interface Interrupted {
  agent: AgentFacts
  entry: EntryFacts
  /** The start goes on with it by itself; else its entry says `running` until its next message. */
  resumes: boolean
}

/** Scheduled runs and sessions of other agents' programs are left alone by every start. */
export const neverResumed = /^agent:[^:]+:(?:cron|acp):/

/**
 * What nothing runs although it says so. While a gateway lives, what it may be running is left out: everything that was used since it
 * started, and everything where that cannot be told. Tried with 2026.5.18 and 2026.7.1, killed in the middle of turns: the older start goes on
 * with a session that is `running` and was marked as cut off, or whose transcript it finds locked by an ended process; the newer one with every
 * session that is `running`. A child is gone on with only when it was marked; scheduled runs never.
 */
export function interruptedOf({
  home,
  agents,
  gateway,
}: Pick<HomeFacts, 'home' | 'agents' | 'gateway'>): Interrupted[] {
  const liveSinceMs = gateway.state === 'stopped' ? null : gateway.state === 'running' ? (gateway.sinceMs ?? 0) : 0
  const needsMark = isOld(home.version)
  return agents.flatMap((agent) => {
    if (agent.index.state !== 'read') return []
    const dead = new Set(
      agent.locks.filter(({ verdict }) => verdict === 'dead' || verdict === 'recycled').map(({ path }) => nameOf(path)),
    )
    return agent.index.entries.flatMap((entry): Interrupted[] => {
      const isChild = entry.kind === 'subagent'
      const saysRunning = entry.status === 'running' || (isChild && entry.abortedLastRun)
      if (!saysRunning || (liveSinceMs !== null && entry.usedAtMs >= liveSinceMs)) return []
      const wasCutOff = entry.abortedLastRun || (!isChild && (!needsMark || dead.has(`${entry.transcript}.lock`)))
      return [{ agent, entry, resumes: wasCutOff && !neverResumed.test(entry.key) }]
    })
  })
}

/** Of a release that goes on only with what was marked. Where it is not known the next start may be of any. */
function isOld(version: string | null): boolean {
  const [year = 0, month = 0] = version === null ? [] : version.split('.').map(Number)
  return year > 0 && (year < 2026 || (year === 2026 && month < 6))
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
