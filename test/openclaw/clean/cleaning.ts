import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../src/host/clock.ts'
import { readProcesses } from '../../../src/host/processes/read.ts'
import type { ProcessTable } from '../../../src/host/processes.ts'
import { listRuns } from '../../../src/openclaw/changes/journal/folder.ts'
import { undoRun } from '../../../src/openclaw/changes/undo/undo.ts'
import { type Cleaned, type CleanHow, type CleanOutside, cleanHome } from '../../../src/openclaw/clean/clean.ts'
import { programOf } from '../../../src/openclaw/gateway/program.ts'
import { findHomes } from '../../../src/openclaw/home/find.ts'
import type { Home } from '../../../src/openclaw/home/home.ts'
import type { PolicyOverrides } from '../../../src/openclaw/home/policy.ts'
import { treeOf } from '../tree.ts'

/** The home as a command finds it. */
export async function homeAt(dir: string, overrides: PolicyOverrides = { mode: 'enforce' }): Promise<Home> {
  const ground = {
    env: {},
    cwd: dir,
    userDir: dir,
    run: () => Promise.reject(new Error('no program is run here')),
    versionOf: async () => null,
    overrides,
  }
  const [home] = await findHomes({ homes: [dir], docker: false, agents: [] }, ground)
  if (home === undefined) throw new Error(`there is no home in ${dir}`)
  return home
}

/** Who runs here, without gateways of other tests: those that begin or end right now may be anybody's. */
export async function quietProcesses(): Promise<ProcessTable> {
  const table = await readProcesses(async () => null)
  return { ...table, processes: table.processes.filter((each) => programOf(each) === 'other') }
}

export const stopped = { state: 'stopped', proof: 'this test' } as const

export function cleanOutside(more: Partial<CleanOutside> = {}): CleanOutside {
  return {
    clock: systemClock,
    readProcesses: quietProcesses,
    temporary: [],
    gatewayNow: async () => stopped,
    told: () => {},
    ...more,
  }
}

export async function cleaned(
  dir: string,
  overrides: PolicyOverrides = {},
  how: Partial<CleanHow> & Partial<CleanOutside> = {},
): Promise<Cleaned> {
  const { dryRun = false, trustClock = false, throughGateway = false, ...outside } = how
  const home = await homeAt(dir, { mode: 'enforce', ...overrides })
  return await cleanHome(home, { dryRun, trustClock, throughGateway }, cleanOutside(outside))
}

/** Takes back all runs of the home, the last one first. Gives the steps that stayed. */
export async function undoAll(dir: string) {
  const home = await homeAt(dir)
  const stayed = []
  for (const run of (await listRuns(home.dir)).reverse()) {
    const how = { clock: systemClock, gatewayNow: async () => stopped, dryRun: false, only: null }
    const { steps } = await undoRun(home, run, how)
    stayed.push(...steps.filter(({ done }) => !done))
  }
  return stayed
}

/** What a gateway sees: everything but our own folder, and the guard that is kept beside an index. */
export function homeTree(dir: string): Record<string, string> {
  return Object.fromEntries(Object.entries(treeOf(dir)).filter(([name]) => !name.endsWith('.holdfast-guard')))
}

/** Session keys of an agent's index. */
export function keysOf(dir: string, agentId = 'main'): string[] {
  return Object.keys(JSON.parse(readFileSync(join(dir, 'agents', agentId, 'sessions', 'sessions.json'), 'utf8')))
}
