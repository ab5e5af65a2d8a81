import { join } from 'node:path'
import { isHoldfastError } from '../../model/errors.ts'
import { type Listed, listDirectory } from '../files/list.ts'
import { rootOf } from '../files/place.ts'
import type { AgentHome, Home } from '../home/home.ts'
import { kindOfName } from '../home/names.ts'
import type { IndexFacts } from '../index/facts.ts'
import { readIndex } from '../index/read.ts'
import { readLocks } from '../locks/read.ts'
import type { LockFacts } from '../locks/verdict.ts'
import { damageKinds, type TranscriptFacts } from '../transcripts/facts.ts'
import { scanTranscript } from '../transcripts/scan.ts'
import { becauseOf } from './because.ts'
import type { AgentFacts, FileFacts, SurveyedTranscript } from './facts.ts'

/** Transcripts read, of so many. */
export type Progress = (done: number, of: number) => void

/** An agent whose locks are read and not judged yet: for that the processes must be listed later. */
export interface UnjudgedAgent extends Omit<AgentFacts, 'locks'> {
  locks: LockFacts[]
}

/** What an agent has, in one look at its directory. What cannot be read is a fact; nothing is thrown for it. */
export async function surveyAgent(home: Home, agent: AgentHome, nowMs: number): Promise<UnjudgedAgent> {
  const { id, sessionsDir } = agent
  const root = rootOf(home, sessionsDir)
  const bare = { id, sessionsDir, files: [], odd: [], locks: [], transcripts: new Map() }
  try {
    const listed = await listDirectory(root, sessionsDir)
    if (listed === null) return { ...bare, state: 'absent', index: { state: 'absent' } }
    const indexName = agent.indexPath.slice(agent.indexPath.lastIndexOf('/') + 1)
    return {
      ...bare,
      state: 'read',
      files: listed.filter(({ what }) => what === 'file').map((each) => fileOf(each, indexName)),
      odd: listed.flatMap(({ name, what }) => (what === 'file' ? [] : [{ name, what }])),
      index: await readIndex(agent, root, nowMs),
      locks: await readLocks(root, sessionsDir, listed),
    }
  } catch (error) {
    const index: IndexFacts = { state: 'unreadable', because: 'its directory cannot be read', bytes: 0, identity: null }
    return { ...bare, state: { unreadable: becauseOf(error, sessionsDir) }, index }
  }
}

function fileOf({ name, identity, uid, mode, links }: Listed, indexName: string): FileFacts {
  const { kind, sessionId } = kindOfName(name, indexName)
  const mtimeMs = Number(identity.mtimeNs / 1_000_000n)
  return { name, kind, sessionId, bytes: Number(identity.bytes), mtimeMs, identity, uid, mode, links }
}

/** All transcripts of an agent, read through one after the other; of each the same little is kept, however long it is. */
export async function surveyTranscripts(
  home: Home,
  { sessionsDir, files }: Pick<AgentFacts, 'sessionsDir' | 'files'>,
  told: () => void,
): Promise<Map<string, SurveyedTranscript>> {
  const root = rootOf(home, sessionsDir)
  const transcripts = new Map<string, SurveyedTranscript>()
  for (const { name, kind } of files) {
    if (kind !== 'transcript') continue
    const found = await surveyTranscript(root, join(sessionsDir, name))
    if (found !== null) transcripts.set(name, found)
    told()
  }
  return transcripts
}

/** null where it has gone meanwhile, or is being written. */
async function surveyTranscript(root: string, path: string): Promise<SurveyedTranscript | null> {
  try {
    const facts = await scanTranscript(root, path)
    return facts === null ? null : summaryOf(facts)
  } catch (error) {
    if (isHoldfastError(error, 'HOME_CHANGED')) return null
    return { state: 'unreadable', because: becauseOf(error, path) }
  }
}

function summaryOf({ damage, counts, ...facts }: TranscriptFacts): SurveyedTranscript {
  return {
    state: 'read',
    ...facts,
    damage: damageKinds.flatMap((kind) => {
      const lines = counts[kind] ?? 0
      return lines === 0 ? [] : [{ kind, lines, firstLine: damage.find((each) => each.kind === kind)?.line ?? null }]
    }),
  }
}
