import { basename, dirname, resolve } from 'node:path'
import type { AgentFacts, HomeFacts } from '../../survey/facts.ts'
import { sessionsOf } from './sessions.ts'

/**
 * Names in an agent's directory that sessions of other agents use: where `session.store` puts the indexes of several agents into one
 * directory, all files of the others; everywhere, files that an entry of another agent leads to by its `sessionFile`.
 */
export function usedByOthers(
  { agents }: Pick<HomeFacts, 'agents'>,
  parents: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Map<AgentFacts, Set<string>> {
  const used = new Map(agents.map((agent) => [agent, new Set<string>()]))
  const byPlace = Map.groupBy(agents, ({ sessionsDir }) => sessionsDir)
  for (const agent of agents) {
    for (const other of byPlace.get(agent.sessionsDir) ?? []) {
      if (other === agent) continue
      for (const { files } of sessionsOf(other, parents.get(other.id) ?? new Map()))
        for (const { name } of files) used.get(agent)?.add(name)
    }
    for (const entry of agent.index.state === 'read' ? agent.index.entries : []) {
      const { elsewhere, elsewhereName } = entry
      if (elsewhere === null || elsewhereName === undefined) continue
      const ends = endOf(resolve(elsewhere))
      for (const other of agents) {
        const isThere = other.sessionsDir === resolve(elsewhere) || endOf(other.sessionsDir) === ends
        if (other !== agent && isThere) used.get(other)?.add(elsewhereName)
      }
    }
  }
  return used
}

/** Agents whose sessions lie in the same directory as this one's. */
export function neighboursOf({ agents }: Pick<HomeFacts, 'agents'>, agent: AgentFacts): AgentFacts[] {
  return agents.filter((other) => other !== agent && other.sessionsDir === agent.sessionsDir)
}

/** `<agent>/sessions`: the home may be seen under another path than its gateway has for it. */
function endOf(path: string): string {
  return `${basename(dirname(path)).toLowerCase()}/${basename(path)}`
}
