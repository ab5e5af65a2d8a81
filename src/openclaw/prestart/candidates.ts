import { factsOfKey } from '../home/keys.ts'
import type { EntryFacts } from '../index/facts.ts'
import type { AgentFacts, HomeFacts } from '../survey/facts.ts'
import { interruptedOf, neverResumed } from '../survey/resume.ts'

/** A session that a start may go on with. */
export interface Candidate {
  agent: AgentFacts
  entry: EntryFacts
  /** Where the index says that its transcript is; null: it says nothing. */
  path: string | null
  /** The release that wrote the home last would go on with it. */
  resumes: boolean
  /** When it was cut off, as far as anything tells; 0 where nothing does. Unit: ms. */
  cutOffAtMs: number
}

/**
 * What a start may go on with, for each agent in the order in which it should: first what already has an answer that waits to be delivered, then
 * sessions of people, the latest first, then errands. Sessions that this release would leave alone are among them: the next one may not.
 */
export function candidatesOf(facts: HomeFacts): Candidate[][] {
  const found = interruptedOf(facts).filter(({ entry }) => !neverResumed.test(entry.key))
  return facts.agents.map((agent) => {
    const times = new Map(agent.files.map(({ name, mtimeMs }) => [name, mtimeMs]))
    return found
      .filter((each) => each.agent === agent)
      .map(({ entry, resumes }): Candidate => {
        const path = entry.transcript === null ? null : `${agent.sessionsDir}/${entry.transcript}`
        const cutOffAtMs = entry.usedAtMs > 0 ? entry.usedAtMs : (times.get(entry.transcript ?? '') ?? 0)
        return { agent, entry, path, resumes, cutOffAtMs }
      })
      .sort((a, b) => rankOf(a) - rankOf(b) || b.cutOffAtMs - a.cutOffAtMs || (a.entry.key < b.entry.key ? -1 : 1))
  })
}

function rankOf({ entry }: Candidate): number {
  if (factsOfKey(entry.key).standing === 'errand') return 2
  return entry.pending ? 0 : 1
}

/** Of how many more transcripts than may resume the end is looked at, in case that some cannot. */
const looksPerResume = 4

/** The transcripts whose end is to be looked at: the rest is over the number whatever it holds. */
export function tailsWanted(candidates: readonly Candidate[], { home, nowMs }: HomeFacts): string[] {
  const { resumeAgeMs, resumesMax } = home.policy
  return candidates
    .filter(({ cutOffAtMs }) => nowMs - cutOffAtMs <= resumeAgeMs)
    .slice(0, resumesMax * looksPerResume)
    .flatMap(({ path }) => path ?? [])
}
