import { isHoldfastError } from '../../../model/errors.ts'
import { dropUnfinished } from '../../../store/carry/put.ts'
import type { Store } from '../../../store/port.ts'
import type { DatabaseThread } from '../../database/thread.ts'
import type { AgentHome, Home } from '../../home/home.ts'
import { readOpening } from '../openings.ts'
import { everySession } from '../sessions.ts'
import { readDatabase } from '../sources/database.ts'
import { conversationFiles, type FilesOptions, type KeyOfKnown, readFiles } from '../sources/files.ts'
import type { AgentSource, LeftOut, SessionSource } from '../sources/source.ts'
import { type ImportReport, type SessionReport, totalsOf } from './report.ts'
import { type BringGround, bringSession, importOrigin } from './session.ts'

export interface ImportOptions extends FilesOptions {
  /** Only so many sessions, the last used first; null: all. */
  limit: number | null
  /** Ends it after the session that is under way. */
  signal: AbortSignal
}

/** Told of each session when it is done: how many, of how many. */
export type Told = (session: SessionReport, done: number, of: number) => void

/**
 * Brings the conversations of a home into the store. The home is only read; it may have a gateway at work on it. Can be broken off at any
 * moment: the same call again goes on from there, and ends the same. What cannot be brought over is told and keeps nothing else back.
 * @throws HoldfastError every STORE_ code
 */
export async function importHome(
  home: Home,
  thread: DatabaseThread,
  ground: BringGround,
  options: ImportOptions,
  told: Told,
): Promise<ImportReport> {
  const leftOut: LeftOut[] = []
  const found: SessionSource[] = []
  const keyOfKnown = await knownKeys(ground.store)
  for (const agent of home.agents) {
    const source = await readAgent(home, agent, thread, options, keyOfKnown)
    found.push(...source.sessions)
    leftOut.push(...source.leftOut)
  }
  found.sort((one, other) => (other.usedAtMs ?? 0) - (one.usedAtMs ?? 0))
  const asked = options.limit === null ? found : found.slice(0, options.limit)
  const sessions: SessionReport[] = []
  for (const source of asked) {
    if (options.signal.aborted) break
    const report = await bringSession(source, ground)
    sessions.push(report)
    told(report, sessions.length, asked.length)
  }
  const isWhole = !options.signal.aborted
  if (isWhole && ground.store !== null && !ground.dryRun) await dropUnfinished(ground.store, importOrigin)
  const { dir, generation, version } = home
  return {
    dir,
    generation,
    version,
    dryRun: ground.dryRun,
    stopped: !isWhole,
    sessions,
    leftOut,
    totals: totalsOf(sessions),
  }
}

/** Where an agent has a database, that is what its gateway reads; files beside it are from before. */
async function readAgent(
  home: Home,
  agent: AgentHome,
  thread: DatabaseThread,
  options: FilesOptions,
  keyOfKnown: KeyOfKnown,
): Promise<AgentSource> {
  try {
    if (agent.databasePath === null) return await readFiles(home, agent, options, keyOfKnown)
    const source = await readDatabase(thread, home, agent, options)
    return { ...source, leftOut: [...source.leftOut, ...(await filesBeside(home, agent))] }
  } catch (error) {
    if (!isHoldfastError(error) || !ofAnAgent.includes(error.code)) throw error
    return { agent: agent.id, sessions: [], leftOut: [{ what: 'agent', name: agent.id, because: error.message }] }
  }
}

/** Once a move to SQLite has ended, its gateway has put these away: where they still stand, it has not. */
async function filesBeside(home: Home, agent: AgentHome): Promise<LeftOut[]> {
  const names = await conversationFiles(home, agent)
  if (names.length === 0) return []
  const because = `${names.length} files of sessions lie beside its database, ${names[0]} among them: finish the move first (openclaw doctor --fix)`
  return [{ what: 'agent', name: agent.id, because }]
}

async function knownKeys(store: Store | null): Promise<KeyOfKnown> {
  const known = new Map<string, string>()
  if (store !== null) {
    for await (const { key, transcript } of everySession(store)) {
      for (let number = 1; number <= transcript; number += 1) {
        const opening = (await readOpening(store, key, number))?.opening
        if (opening?.key != null) known.set(`${opening.agent}/${opening.name}`, opening.key)
      }
    }
  }
  return (agent, name) => known.get(`${agent}/${name}`)
}

const ofAnAgent: readonly string[] = [
  ...['INDEX_UNREADABLE', 'HOME_UNREADABLE', 'HOME_UNSAFE', 'HOME_GENERATION', 'HOME_BUSY', 'HOME_CHANGED'],
]
