import type { ProcessTable } from '../../host/processes.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { listDirectory } from '../files/list.ts'
import { rootOf } from '../files/place.ts'
import { type HomeProcesses, processesOf } from '../gateway/users.ts'
import type { AgentHome } from '../home/home.ts'
import { judgeLock } from './judge.ts'
import { readLocks } from './read.ts'
import type { JudgedLock, LockFacts } from './verdict.ts'

interface AgentLocks {
  agent: AgentHome
  locks: JudgedLock[]
}

export interface HomeLocks {
  agents: AgentLocks[]
  around: HomeProcesses
  /** What could not be looked at, and why. */
  unreadable: { path: string; because: string }[]
}

/**
 * Finds and judges the locks of a home, in the order that proofs need: first what the files say, then who runs. Changes nothing.
 * `readTable` is called once.
 */
export async function lookAtLocks(
  home: { dir: string; agents: readonly AgentHome[] },
  readTable: () => Promise<ProcessTable>,
  nowMs: () => number,
): Promise<HomeLocks> {
  const found: { agent: AgentHome; locks: LockFacts[] }[] = []
  const unreadable: HomeLocks['unreadable'] = []
  for (const agent of home.agents) {
    try {
      const root = rootOf(home, agent.sessionsDir)
      const listed = (await listDirectory(root, agent.sessionsDir)) ?? []
      found.push({ agent, locks: await readLocks(root, agent.sessionsDir, listed) })
    } catch (error) {
      if (!isHoldfastError(error, 'HOME_UNREADABLE') && !isHoldfastError(error, 'HOME_UNSAFE')) throw error
      unreadable.push({ path: agent.sessionsDir, because: String(error.facts.because ?? error.message) })
    }
  }
  const around = processesOf(home, await readTable())
  const atMs = nowMs()
  const agents = found.map(({ agent, locks }) => ({ agent, locks: locks.map((lock) => judgeLock(lock, around, atMs)) }))
  return { agents, around, unreadable }
}
