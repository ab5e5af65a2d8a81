import { isSystemError } from '../../host/files.ts'
import { filesystemOf } from '../../host/filesystem.ts'
import type { ProcessTable } from '../../host/processes.ts'
import { gatewayFacts } from '../gateway/running.ts'
import { processesOf } from '../gateway/users.ts'
import type { Home } from '../home/home.ts'
import { judgeLock } from '../locks/judge.ts'
import { type Progress, surveyAgent, surveyTranscripts, type UnjudgedAgent } from './agent.ts'
import type { AgentFacts, DiskFacts, HomeFacts } from './facts.ts'
import { withOperation } from './locks.ts'

export interface SurveyOutside {
  nowMs(): number
  /** Who runs here. Called once, after the locks were read. */
  readProcesses(): Promise<ProcessTable>
  /** Where gateways make their own lock files: `/tmp`. */
  temporary: readonly string[]
  told?: Progress
}

/**
 * All that findings and plans are made from. `deep` reads transcripts through, `shallow` only looks at their names and sizes. Nothing is
 * changed on disk, not even a time of access where the system lets us ask for that; what cannot be read is a fact.
 */
export async function survey(home: Home, depth: 'shallow' | 'deep', outside: SurveyOutside): Promise<HomeFacts> {
  const nowMs = outside.nowMs()
  const found: UnjudgedAgent[] = []
  for (const agent of home.agents) found.push(await surveyAgent(home, agent, nowMs))
  const around = processesOf(home, await outside.readProcesses()) // after the locks were read, see `judgeLock`
  const judgedAtMs = outside.nowMs()
  const agents = found.map((agent) => {
    const locks = agent.locks.map((lock) => withOperation(judgeLock(lock, around, judgedAtMs), agent.index))
    return { ...agent, locks }
  })
  return {
    home,
    nowMs,
    gateway: await gatewayFacts(home, around, outside.temporary),
    agents: depth === 'shallow' ? agents : await readThrough(home, agents, outside.told ?? (() => {})),
    disk: diskOf(home.dir),
  }
}

async function readThrough(home: Home, agents: AgentFacts[], told: Progress): Promise<AgentFacts[]> {
  const of = agents.reduce((sum, { files }) => sum + files.filter(({ kind }) => kind === 'transcript').length, 0)
  let done = 0
  const read: AgentFacts[] = []
  for (const agent of agents) {
    read.push({ ...agent, transcripts: await surveyTranscripts(home, agent, () => told(++done, of)) })
  }
  return read
}

function diskOf(dir: string): DiskFacts | { unreadable: string } {
  try {
    const { name, ...rest } = filesystemOf(dir)
    return { filesystem: name, ...rest }
  } catch (error) {
    if (!isSystemError(error)) throw error
    return { unreadable: error.code ?? error.message }
  }
}
