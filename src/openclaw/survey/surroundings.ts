import { dirname, join } from 'node:path'
import { isReachable, modeOf } from '../../host/modes.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { archivesOf, listBundles, listRuns, manifestOf } from '../changes/journal/folder.ts'
import { unsettledRuns } from '../changes/settle/settle.ts'
import { type CollectOptions, collectDatabase } from '../database/facts/collect.ts'
import { DatabaseThread } from '../database/thread.ts'
import { listDirectory } from '../files/list.ts'
import { openInside } from '../files/open.ts'
import type { Home } from '../home/home.ts'
import { kindOfName } from '../home/names.ts'
import type { ArchiveFacts, Around, LegacyRoot, PathFacts, ScheduleFacts, SurveyedDatabase } from './around.ts'
import { becauseOf, withoutPath } from './because.ts'
import { readBound } from './bindings.ts'

export interface SurroundingsOptions {
  nowMs: number
  /** Sizes by table, and SQLite's own check: each reads every page. */
  sizes: boolean
  check: boolean
  /** The same for all homes of a host: read once. */
  schedule: ScheduleFacts
  /** Other homes of the same person, where they were looked for. */
  siblings: string[]
}

/** What stands around the sessions of a home. Nothing is changed; nothing outside of the home is opened. */
export async function surroundingsOf(home: Home, options: SurroundingsOptions): Promise<Around> {
  const unreadable: Around['unreadable'] = []
  return {
    paths: pathsOf(home),
    reachable: isReachable(dirname(home.dir)),
    cloud: cloudOf(home.dir),
    bindings: await readBound(home.dir),
    databases: await readDatabases(home, options),
    legacy: await readLegacy(home, unreadable),
    archives: await readArchives(home.dir, options.nowMs),
    schedule: options.schedule,
    siblings: options.siblings,
    unreadable,
  }
}

/** Files whose words open other doors. */
const secretFiles = ['openclaw.json', 'openclaw.json.last-good', '.env']

function pathsOf({ dir, agents }: Home): PathFacts[] {
  const folders = agents.flatMap(({ sessionsDir }) => [dirname(sessionsDir), sessionsDir])
  const secrets = [
    ...secretFiles.map((name) => join(dir, name)),
    ...agents.flatMap(({ sessionsDir, databasePath }) => [
      join(dirname(sessionsDir), 'agent', 'auth-profiles.json'),
      ...(databasePath === null ? [] : [databasePath]),
    ]),
  ]
  const all = new Set([dir, join(dir, 'agents'), ...folders, ...secrets])
  return [...all].flatMap((path) => {
    const facts = modeOf(path)
    return facts === null ? [] : [{ path, ...facts }]
  })
}

const clouds: readonly [string, RegExp][] = [
  ['iCloud', /\/Library\/Mobile Documents\/|\/iCloud ?Drive(?:\/|$)/i],
  ['OneDrive', /[/\\]OneDrive(?:[ -][^/\\]*)?(?:[/\\]|$)|\/CloudStorage\/OneDrive/i],
  ['Dropbox', /[/\\]Dropbox(?: \([^/\\]*\))?(?:[/\\]|$)/i],
  ['Google Drive', /[/\\]Google ?Drive(?:[/\\]|$)/i],
  ['a cloud', /\/Library\/CloudStorage\//],
]

/** By the names that those programs give to their folders. */
export function cloudOf(dir: string): string | null {
  return clouds.find(([, pattern]) => pattern.test(dir))?.[0] ?? null
}

async function readDatabases(home: Home, options: SurroundingsOptions): Promise<SurveyedDatabase[]> {
  const { nowMs, sizes, check } = options
  const collect: CollectOptions = { nowMs, cronRunMs: home.policy.cronRunMs, sizes, check }
  const found: SurveyedDatabase[] = []
  await using thread = new DatabaseThread()
  for (const { id, databasePath } of home.agents) {
    if (databasePath !== null) found.push(await readDatabase(thread, { path: databasePath, agentId: id }, collect))
  }
  return found
}

async function readDatabase(
  thread: DatabaseThread,
  place: { path: string; agentId: string },
  options: CollectOptions,
): Promise<SurveyedDatabase> {
  try {
    return { state: 'read', facts: await collectDatabase(thread, place, options) }
  } catch (error) {
    if (isHoldfastError(error, 'HOME_GENERATION')) return { state: 'unknown', ...place, because: said(error, place) }
    if (isHoldfastError(error, 'HOME_BUSY')) return { state: 'busy', ...place, because: said(error, place) }
    const because = becauseOf(error, place.path)
    const isDamaged = isHoldfastError(error) && error.facts.damaged === true
    return { state: isDamaged ? 'damaged' : 'unreadable', ...place, because }
  }
}

function said(error: { facts: Record<string, unknown>; message: string }, { path }: { path: string }): string {
  return withoutPath(String(error.facts.because ?? error.message), path)
}

/** Early releases had one directory of sessions for all agents. */
async function readLegacy({ dir, agents }: Home, unreadable: Around['unreadable']): Promise<LegacyRoot[]> {
  const path = join(dir, 'sessions')
  if (agents.some(({ sessionsDir }) => sessionsDir === path)) return []
  try {
    const listed = (await listDirectory(dir, path)) ?? []
    const files = listed.filter(({ name, what }) => what === 'file' && kindOfName(name).kind !== 'unknown')
    const bytes = files.reduce((sum, { identity }) => sum + Number(identity.bytes), 0)
    return files.length === 0 ? [] : [{ path, files: files.length, bytes }]
  } catch (error) {
    if (isHoldfastError(error, 'HOME_UNSAFE')) return [] // a link, or no directory: not of a gateway
    unreadable.push({ path, because: becauseOf(error, path) })
    return []
  }
}

/** A run of another Holdfast that is at work now is not finished either: it is younger than this. Unit: ms. */
const atWorkMs = 10 * 60_000

async function readArchives(dir: string, nowMs: number): Promise<ArchiveFacts> {
  const path = archivesOf(dir)
  const facts: ArchiveFacts = { path, state: 'absent', runs: 0, bytes: 0, unfinished: [] }
  try {
    if ((await listDirectory(dir, path)) === null) return facts
    const runs = await listRuns(dir)
    for (const run of runs) for (const { bytes } of await listBundles(dir, run)) facts.bytes += bytes
    const unsettled = await unsettledRuns(dir)
    const unfinished: string[] = []
    for (const run of unsettled) if (!(await isAtWork(dir, run, nowMs))) unfinished.push(run)
    return { ...facts, state: 'read', runs: runs.length, unfinished }
  } catch (error) {
    return { ...facts, state: { unreadable: becauseOf(error, path) } }
  }
}

async function isAtWork(dir: string, run: string, nowMs: number): Promise<boolean> {
  using manifest = await openInside(dir, manifestOf(dir, run))
  return manifest !== null && nowMs - Number(manifest.identity.mtimeNs / 1_000_000n) < atWorkMs
}
