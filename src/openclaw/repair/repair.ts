import { join } from 'node:path'
import type { Clock } from '../../host/clock.ts'
import { beginRun } from '../changes/begin.ts'
import { lookBefore } from '../clean/look.ts'
import type { GatewayFacts } from '../gateway/running.ts'
import type { Home } from '../home/home.ts'
import type { AgentFacts, HomeFacts } from '../survey/facts.ts'
import type { SurveyOutside } from '../survey/survey.ts'
import { type IndexStep, rebuildIndex } from './reindex.ts'
import { repairTranscripts, type TranscriptStep, type Unmended } from './transcripts.ts'

export interface RepairHow {
  /** Only look. */
  dryRun: boolean
  /** Transcripts, by their path, file name, session id or session key; none: all of them, and the indexes. */
  named: readonly string[]
}

export interface RepairOutside extends Omit<SurveyOutside, 'nowMs' | 'told'> {
  clock: Clock
  /** Transcripts looked at. */
  told: (done: number, of: number) => void
}

export type RepairStep = TranscriptStep | IndexStep

export interface Repaired {
  home: Home
  gateway: GatewayFacts
  lookedAtMs: number
  dryRun: boolean
  steps: RepairStep[]
  unmended: Unmended[]
  /** Absolute; null: nothing was changed. */
  manifest: string | null
  /** Of those that were named, the ones that are here. */
  found: string[]
}

/** A migration compares what it has moved with what is there. */
const unmoved = 'a part of this home is in a database, and nothing is changed until that move is finished'

/**
 * Puts transcripts of one home right, and then indexes that cannot be read. What could not be done says why. A run that was killed before is
 * brought to an end first. @throws HoldfastError HOME_BUSY, HOME_UNSAFE, HOME_UNREADABLE, HOME_READ_ONLY, STORE_FULL, STORE_IO, ARCHIVE_DAMAGED
 */
export async function repairHome(home: Home, how: RepairHow, outside: RepairOutside): Promise<Repaired> {
  const { clock, told } = outside
  await using begun = beginRun(home, 'repair', { clock })
  const run = how.dryRun ? null : begun
  const facts = await lookBefore(home, run, outside)
  const { paths, found } = wantedIn(facts, how.named)
  const steps: RepairStep[] = []
  const unmended: Unmended[] = []
  const left = home.generation === 'mixed' ? unmoved : null
  const hands = left === null ? run : null
  for await (const each of repairTranscripts(facts, hands, { wanted: paths, told, clock })) {
    if ('step' in each) steps.push({ ...each.step, left: left ?? each.step.left })
    else unmended.push(each.unmended)
  }
  for (const agent of how.named.length === 0 ? facts.agents : []) {
    const step = await rebuildIndex(facts, agent, hands, clock)
    if (step !== null) steps.push({ ...step, left: left ?? step.left })
  }
  const { gateway, nowMs: lookedAtMs } = facts
  return { home, gateway, lookedAtMs, dryRun: how.dryRun, steps, unmended, manifest: begun.manifest, found }
}

/** The transcripts that are meant; null: all. */
function wantedIn({ agents }: HomeFacts, named: readonly string[]): { paths: Set<string> | null; found: string[] } {
  if (named.length === 0) return { paths: null, found: [] }
  const paths = new Set<string>()
  const found = new Set<string>()
  for (const agent of agents) {
    for (const { name, kind, sessionId } of agent.files) {
      if (kind !== 'transcript') continue
      const names = [join(agent.sessionsDir, name), name, sessionId, ...keysOf(agent, name)]
      const meant = named.filter((each) => names.includes(each))
      for (const each of meant) found.add(each)
      if (meant.length > 0) paths.add(join(agent.sessionsDir, name))
    }
  }
  return { paths, found: [...found] }
}

function keysOf({ index }: AgentFacts, name: string): string[] {
  return index.state === 'read' ? index.entries.filter((each) => each.transcript === name).map(({ key }) => key) : []
}
