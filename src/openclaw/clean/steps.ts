import type { StepKind } from '../changes/run.ts'
import type { Judged } from '../files/identity.ts'
import type { JudgedLock } from '../locks/verdict.ts'
import type { AgentFacts, FileFacts } from '../survey/facts.ts'

/** One thing to do, with its reason. What is shown before is what is carried out. */
export interface Step<Act> {
  kind: StepKind
  agentId: string
  /** Absolute; of an entry the index that it stands in. */
  path: string
  key: string | null
  because: string
  bytes: number
  act: Act
  /** Why it cannot be done now; null: it can. */
  left: string | null
}

export interface Plan<Act> {
  steps: Step<Act>[]
  /** What a person should know beyond single steps, one sentence each. */
  notes: string[]
}

export type CleanStep = Step<CleanAct>
export type CleanPlan = Plan<CleanAct>

type CleanAct =
  /** Its entry is taken out of the index. */
  | { do: 'drop'; session: number }
  /** The file goes to the archive; one of a session only after all its entries have gone. */
  | { do: 'take'; judged: Judged; session: number | null }
  /** A lock that nobody holds goes with the transcript that it was for. */
  | { do: 'clear'; lock: JudgedLock; session: number | null }
  /** The index is copied beside itself and loses these fields, which a gateway makes anew. */
  | { do: 'slim'; fields: readonly string[] }

export function pathOf(agent: Pick<AgentFacts, 'sessionsDir'>, name: string): string {
  return `${agent.sessionsDir}/${name}`
}

export function judgedOf(agent: Pick<AgentFacts, 'sessionsDir'>, { name, identity }: FileFacts): Judged {
  return { path: pathOf(agent, name), identity, sha256: null }
}
