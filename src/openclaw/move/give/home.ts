import { join } from 'node:path'
import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import type { SessionKey } from '../../../model/keys.ts'
import type { Session } from '../../../model/sessions.ts'
import type { Store } from '../../../store/port.ts'
import { ensureDirectory } from '../../files/create.ts'
import { readOpening } from '../openings.ts'
import { everySession } from '../sessions.ts'
import { compareFile } from './compare.ts'
import { giveFile } from './file.ts'
import { entryOf, type PlannedSession, planSession } from './plan.ts'
import { linesOfTranscript, recordsIn } from './transcript.ts'

export interface ExportOptions {
  /** Of the home that is made; it is there. Absolute. */
  dir: string
  /** Only these; empty: all. */
  agents: readonly string[]
  keys: readonly SessionKey[]
  dryRun: boolean
}

interface GivenTranscript {
  number: number
  file: string | null
  /** As they were, to the byte. */
  carriedLines: number
  /** Entries that were written here, each a row of its own. */
  ownEntries: number
  /** Lines that were too long to be carried along when it was imported. */
  linesLeftOut: number
}

export interface GivenSession {
  key: string
  /** As the gateway calls it; null where no index names it. */
  as: string | null
  agent: string
  state: 'exported' | 'present' | 'left'
  because: string | null
  transcripts: GivenTranscript[]
}

export interface ExportReport {
  dir: string
  dryRun: boolean
  sessions: GivenSession[]
  totals: { exported: number; present: number; left: number; files: number; carriedLines: number; ownEntries: number }
}

/**
 * Writes sessions of the store as a home of the file generation: `agents/<id>/sessions/` with its index. Files are whole or not there, nothing is
 * written over, and what is there already and the same is left: an export that was broken off goes on where it was.
 * @throws HoldfastError FILE_EXISTS for an index that is another's, STORE_FULL, STORE_IO, HOME_READ_ONLY, HOME_UNSAFE
 */
export async function exportHome(
  store: Store,
  options: ExportOptions,
  told: (session: GivenSession, done: number, of: number) => void,
): Promise<ExportReport> {
  const asked = await sessionsOf(store, options)
  const sessions: GivenSession[] = []
  const agents = new Map<string, PlannedSession[]>()
  const names = new Set<string>()
  for (const session of asked) {
    const planned = await planSession(store, session)
    const given = await giveSession(store, planned, options, names)
    if (given.state !== 'left') agents.set(planned.agent, [...(agents.get(planned.agent) ?? []), planned])
    sessions.push(given)
    told(given, sessions.length, asked.length)
  }
  if (!options.dryRun) for (const [agent, those] of agents) await giveIndex(store, agent, those, options)
  return { dir: options.dir, dryRun: options.dryRun, sessions, totals: totalsOf(sessions) }
}

async function sessionsOf(store: Store, { agents, keys }: ExportOptions): Promise<Session[]> {
  const found: Session[] = []
  for await (const session of everySession(store)) found.push(session)
  const missing = keys.find((key) => !found.some((session) => session.key === key))
  if (missing !== undefined) throw new HoldfastError('SESSION_NOT_FOUND', { key: missing })
  const isAsked = ({ key, agentId }: Session) =>
    (keys.length === 0 || keys.includes(key)) && (agents.length === 0 || agents.includes(agentId))
  return found.filter(isAsked).sort((one, other) => (one.key < other.key ? -1 : 1))
}

async function giveSession(
  store: Store,
  planned: PlannedSession,
  options: ExportOptions,
  names: Set<string>,
): Promise<GivenSession> {
  const { session, agent, key: as, transcripts, missing } = planned
  const given: GivenSession = {
    ...{ key: session.key, as, agent, state: 'present' },
    because: missing.length === 0 ? null : `retention has its transcripts ${missing.join(', ')}: restore them first`,
    transcripts: transcripts.map(({ number, name, facts }) => ({
      ...{ number, file: name, carriedLines: facts.lines, ownEntries: facts.own, linesLeftOut: facts.leftOut },
    })),
  }
  if (session.running) return { ...given, state: 'left', because: 'a turn of it runs: export it afterwards' }
  for (const { name } of transcripts) {
    const path = `${agent}/${name}`
    if (name !== null && names.has(path))
      return { ...given, state: 'left', because: `another session has the file ${name}` }
    if (name !== null) names.add(path)
  }
  if (options.dryRun) return { ...given, state: 'exported' }
  try {
    for (const transcript of transcripts) {
      if (transcript.name === null) continue
      const isThere = await giveTranscript(store, planned, transcript, options)
      if (!isThere) given.state = 'exported'
    }
    return given
  } catch (error) {
    if (!isHoldfastError(error, 'FILE_EXISTS') && !isHoldfastError(error, 'IMPORT_MISMATCH')) throw error
    return { ...given, state: 'left', because: error.message }
  }
}

async function giveTranscript(
  store: Store,
  { session, agent }: PlannedSession,
  { number, name, facts, sessionId }: PlannedSession['transcripts'][number],
  { dir }: ExportOptions,
): Promise<boolean> {
  const folder = sessionsDir(dir, agent)
  ensureDirectory(dir, folder)[Symbol.dispose]()
  const path = join(folder, name ?? '')
  const target = { sessionId, cwd: join(dir, 'workspace') }
  const content = () => linesOfTranscript(recordsIn(store, session.key, number), facts, target)
  const { isThere } = await giveFile(dir, path, content)
  const difference = await compareFile(dir, path, recordsIn(store, session.key, number), facts)
  if (difference !== null) throw new HoldfastError('IMPORT_MISMATCH', { because: `${path}: ${difference}` })
  return isThere
}

const sessionsDir = (dir: string, agent: string) => join(dir, 'agents', agent, 'sessions')

/** Last, so that a gateway finds either no index or all of it. */
async function giveIndex(
  store: Store,
  agent: string,
  those: readonly PlannedSession[],
  { dir }: ExportOptions,
): Promise<void> {
  const folder = sessionsDir(dir, agent)
  ensureDirectory(dir, folder)[Symbol.dispose]()
  const content = async function* () {
    let separator = '{\n'
    for (const planned of those) {
      const { entryIn, session, key } = planned
      const had = entryIn === null ? null : await readOpening(store, session.key, entryIn)
      const entry = entryOf(planned, had?.opening.entry ?? null, (name) => join(folder, name))
      if (entry === null || key === null) continue
      const text = JSON.stringify(entry, null, 2).replaceAll('\n', '\n  ')
      yield Buffer.from(`${separator}  ${JSON.stringify(key)}: ${text}`)
      separator = ',\n'
    }
    yield Buffer.from(separator === '{\n' ? '{}\n' : '\n}\n')
  }
  await giveFile(dir, join(folder, 'sessions.json'), content)
}

function totalsOf(sessions: readonly GivenSession[]): ExportReport['totals'] {
  const totals = { exported: 0, present: 0, left: 0, files: 0, carriedLines: 0, ownEntries: 0 }
  for (const { state, transcripts } of sessions) {
    totals[state] += 1
    for (const { file, carriedLines, ownEntries } of transcripts) {
      totals.files += Number(file !== null)
      totals.carriedLines += carriedLines
      totals.ownEntries += ownEntries
    }
  }
  return totals
}
