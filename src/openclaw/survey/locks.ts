import { basename } from 'node:path'
import type { ProcessTable } from '../../host/processes.ts'
import { type GatewayFacts, gatewayFacts } from '../gateway/running.ts'
import type { Home } from '../home/home.ts'
import type { IndexFacts } from '../index/facts.ts'
import { readIndex } from '../index/read.ts'
import { withCpu } from '../locks/holders.ts'
import { lookAtLocks } from '../locks/look.ts'
import { operationOf } from '../locks/operation.ts'
import type { JudgedLock } from '../locks/verdict.ts'

/** A lock and whose it is. */
export interface NamedLock extends JudgedLock {
  agent: string
  /** The session whose transcript is locked, where an entry names it. */
  key: string | null
}

export interface SurveyedLocks {
  gateway: GatewayFacts
  /** Of an agent each, by name. */
  locks: NamedLock[]
  /** What could not be looked at, and why. */
  unreadable: { path: string; because: string }[]
}

export interface LocksOutside {
  nowMs(): number
  /** Who runs here. Called once, after the locks were read. */
  readProcesses(): Promise<ProcessTable>
  /** Where gateways make their own lock files: `/tmp`. */
  temporary: readonly string[]
  steadyMs(): number
  sleep(ms: number): Promise<void>
}

/**
 * The locks of a home with what their holders do: which session, which operation as far as the index tells, how busy. Changes nothing;
 * takes a fifth of a second longer where a lock is held and `busy` is wanted.
 */
export async function surveyLocks(home: Home, busy: boolean, outside: LocksOutside): Promise<SurveyedLocks> {
  const { agents, around, unreadable } = await lookAtLocks(home, outside.readProcesses, outside.nowMs)
  const locks: NamedLock[] = []
  for (const { agent, locks: judged } of agents) {
    if (judged.length === 0) continue
    const index = await readIndex(agent, home.dir, outside.nowMs())
    const measured = busy ? await withCpu(judged, around.table, outside) : judged
    locks.push(
      ...measured.map((lock) => ({ ...withOperation(lock, index), agent: agent.id, key: keyOfLock(lock, index) })),
    )
  }
  return { gateway: await gatewayFacts(home, around, outside.temporary), locks, unreadable }
}

/** The lock with what its holder does, as far as the index of its agent tells. */
export function withOperation(lock: JudgedLock, index: IndexFacts): JudgedLock {
  return { ...lock, operation: operationOf(lock, entryOf(lock, index)?.status ?? null) }
}

export function keyOfLock(lock: JudgedLock, index: IndexFacts): string | null {
  return entryOf(lock, index)?.key ?? null
}

function entryOf({ path }: JudgedLock, index: IndexFacts) {
  const transcript = basename(path).replace(/\.lock$/, '')
  return index.state === 'read' ? index.entries.find((entry) => entry.transcript === transcript) : undefined
}
