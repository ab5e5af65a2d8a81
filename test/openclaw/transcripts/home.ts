import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../src/host/clock.ts'
import { readProcesses } from '../../../src/host/processes/read.ts'
import { beginRun } from '../../../src/openclaw/changes/begin.ts'
import { undoRun } from '../../../src/openclaw/changes/undo/undo.ts'
import type { GatewayFacts } from '../../../src/openclaw/gateway/running.ts'
import type { Home } from '../../../src/openclaw/home/home.ts'
import type { JudgedLock } from '../../../src/openclaw/locks/verdict.ts'
import { repairHome, type Repaired as WholeRepair } from '../../../src/openclaw/repair/repair.ts'
import { repairTranscripts, type TranscriptStep, type Unmended } from '../../../src/openclaw/repair/transcripts.ts'
import { surveyAgent } from '../../../src/openclaw/survey/agent.ts'
import type { HomeFacts } from '../../../src/openclaw/survey/facts.ts'
import { Scratch } from '../scratch.ts'

const stopped: GatewayFacts = { state: 'stopped', proof: 'of this test' }
export const running: GatewayFacts = { state: 'running', pid: 7, sinceMs: null, proof: 'of this test', container: null }

export interface Asked {
  dryRun?: boolean
  gateway?: GatewayFacts
  locks?: JudgedLock[]
  wanted?: string[]
  nowMs?: number
}

export interface Repaired {
  steps: TranscriptStep[]
  unmended: Unmended[]
  manifest: string | null
}

/** What `holdfast repair` does about transcripts, on a home that is there. */
export async function repair(home: Home, { dryRun, gateway, locks, wanted, nowMs }: Asked = {}): Promise<Repaired> {
  const facts = await factsOf(home, { gateway: gateway ?? stopped, locks: locks ?? [], nowMs: nowMs ?? Date.now() })
  const repaired: Repaired = { steps: [], unmended: [], manifest: null }
  await using run = beginRun(home, 'repair', { clock: systemClock })
  const asked = { wanted: wanted === undefined ? null : new Set(wanted), told: () => {}, clock: systemClock }
  for await (const told of repairTranscripts(facts, dryRun === true ? null : run, asked)) {
    if ('step' in told) repaired.steps.push(told.step)
    else repaired.unmended.push(told.unmended)
  }
  repaired.manifest = run.manifest
  return repaired
}

/** The whole of it, with what this machine says of its processes. */
export function repairAlone(home: Home): Promise<WholeRepair> {
  return repairHome(
    home,
    { dryRun: false, named: [] },
    { clock: systemClock, readProcesses: () => readProcesses(async () => null), temporary: [], told: () => {} },
  )
}

/** Takes back what a run did. */
export async function undo(home: Home, manifest: string | null): Promise<boolean[]> {
  const name = manifest?.split('/').at(-2) ?? ''
  const how = { clock: systemClock, gatewayNow: async () => stopped, dryRun: false, only: null }
  return (await undoRun(home, name, how)).steps.map(({ done }) => done)
}

interface Outside {
  gateway: GatewayFacts
  locks: JudgedLock[]
  nowMs: number
}

async function factsOf(home: Home, { gateway, locks, nowMs }: Outside): Promise<HomeFacts> {
  const agents = []
  for (const agent of home.agents) agents.push({ ...(await surveyAgent(home, agent, nowMs)), locks })
  const disk = { freeBytes: 1e12, totalBytes: 1e12, filesystem: 'ext4', untrusted: false }
  return { home, nowMs, gateway, agents, disk }
}

const wholeSeconds = Math.floor(Date.now() / 1_000)

/** A home with these transcripts, each with an entry in the index that names it. */
export async function homeWith(transcripts: Record<string, Uint8Array>): Promise<Scratch> {
  const scratch = await Scratch.open()
  const index: Record<string, object> = {}
  for (const [id, data] of Object.entries(transcripts)) {
    writeFileSync(scratch.path(`${id}.jsonl`), data, { mode: 0o644 })
    // times are given back to the microsecond, which the comparison of trees would round to one side or the other
    utimesSync(scratch.path(`${id}.jsonl`), wholeSeconds, wholeSeconds)
    index[`agent:main:telegram:direct:${id}`] = {
      sessionId: id,
      updatedAt: Date.now(),
      sessionFile: scratch.path(`${id}.jsonl`),
    }
  }
  writeFileSync(scratch.path('sessions.json'), JSON.stringify(index, null, 2), { mode: 0o600 })
  return scratch
}

export function textOf(scratch: Scratch, id: string): string {
  return readFileSync(join(scratch.sessions, `${id}.jsonl`), 'utf8')
}
