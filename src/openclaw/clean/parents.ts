import { isHoldfastError } from '../../model/errors.ts'
import { readLines } from '../files/lines.ts'
import { openInside } from '../files/open.ts'
import { rootOf } from '../files/place.ts'
import type { AgentFacts, HomeFacts } from '../survey/facts.ts'
import { pathOf } from './steps.ts'

/** A header has some 300 bytes. */
const headerBytesMax = 64 * 1024
/** A fork or a compaction goes on in a file with the time in front of its id. */
const continued = /^\d{4}-\d{2}-\d{2}T[\d-]+Z_/

/**
 * By agent and name: which transcript a bound one continues, and that one, and so on. Of all others
 * nothing is read. One that cannot be read names none: what it continued is archived in time, and can be put back.
 */
export async function parentsOf(facts: HomeFacts): Promise<Map<string, Map<string, string>>> {
  const found = new Map<string, Map<string, string>>()
  for (const agent of facts.agents) {
    const parents = new Map<string, string>()
    const names = new Set(agent.files.map(({ name }) => name))
    const bound = agent.index.state === 'read' ? agent.index.entries.flatMap(({ transcript }) => transcript ?? []) : []
    for (const name of bound.filter((each) => names.has(each) && continued.test(each))) {
      for (let next: string | null = name; next !== null && !parents.has(next); ) {
        const parent: string | null = await parentOf(facts, agent, next)
        if (parent === null || !names.has(parent)) break
        parents.set(next, parent)
        next = parent
      }
    }
    found.set(agent.id, parents)
  }
  return found
}

async function parentOf({ home }: HomeFacts, agent: AgentFacts, name: string): Promise<string | null> {
  try {
    using file = await openInside(rootOf(home, agent.sessionsDir), pathOf(agent, name))
    if (file === null) return null
    for await (const { data } of readLines(file, { lineBytesMax: headerBytesMax })) return parentIn(data)
    return null
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return null
  }
}

/** `parentSession` is a path, or an id. */
function parentIn(line: Buffer | null): string | null {
  try {
    const header = JSON.parse(line?.toString('utf8') ?? 'null')
    const parent = header?.parentSession
    if (typeof parent !== 'string' || parent === '') return null
    const name = parent.slice(Math.max(parent.lastIndexOf('/'), parent.lastIndexOf('\\')) + 1)
    return name.endsWith('.jsonl') ? name : `${name}.jsonl`
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
