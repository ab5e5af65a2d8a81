import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { entryOf } from './entries.ts'
import type { AgentPlan, BuiltHome, BuiltSession, HomePlan, LeftoverPlan, LockPlan, SessionPlan } from './plans.ts'
import { Seeded } from './seeded.ts'
import { transcriptText } from './transcript-text.ts'

const hourMs = 3_600_000
/** Of files that a gateway writes today; 2026.5.18 wrote transcripts 0644. */
const mode = 0o600

/** Writes the home; `dir` must not exist. The same plan, seed and time make the same bytes. */
export function buildHome(dir: string, plan: HomePlan): BuiltHome {
  const nowMs = plan.nowMs ?? Date.now()
  const seeded = new Seeded(plan.seed ?? 1)
  const home: BuiltHome = {
    dir,
    nowMs,
    sessions: [],
    leftovers: [],
    locks: [],
    sessionsDir: (agentId) => join(dir, 'agents', agentId, 'sessions'),
    session: (key) => {
      const found = home.sessions.find((session) => session.key === key)
      if (found === undefined) throw new Error(`the plan has no session ${key}`)
      return found
    },
  }
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  writeConfig(home, plan)
  for (const agent of plan.agents) buildAgent(home, agent, seeded)
  return home
}

function writeConfig({ dir, nowMs }: BuiltHome, { config = {}, version = '2026.7.1', agents }: HomePlan): void {
  if (config === null) return
  const touched = { lastTouchedVersion: version, lastTouchedAt: new Date(nowMs).toISOString() }
  const list = agents.map(({ id }, at) => ({ id, ...(at === 0 ? { default: true } : {}) }))
  const text =
    typeof config === 'string' ? config : JSON.stringify({ agents: { list }, ...config, meta: touched }, null, 2)
  writeAt(join(dir, 'openclaw.json'), text, nowMs)
}

function buildAgent(home: BuiltHome, plan: AgentPlan, seeded: Seeded): void {
  const sessionsDir = home.sessionsDir(plan.id)
  mkdirSync(sessionsDir, { recursive: true, mode: 0o700 })
  const entries: [string, Record<string, unknown>][] = []
  for (const session of plan.sessions ?? []) {
    const built = placeSession(home, plan.id, session, seeded)
    home.sessions.push(built)
    if (session.transcript !== false) writeTranscript(home, built, seeded)
    if (session.bound !== false) entries.push([session.key, entryOf(built, home.nowMs)])
  }
  for (const leftover of plan.leftovers ?? []) home.leftovers.push(writeLeftover(home, sessionsDir, leftover, seeded))
  for (const lock of plan.locks ?? []) home.locks.push(writeLock(home, sessionsDir, lock))
  const index = plan.index === undefined ? JSON.stringify(Object.fromEntries(entries), null, 2) : plan.index
  if (index !== null) writeAt(join(sessionsDir, 'sessions.json'), index, home.nowMs)
}

function placeSession({ sessionsDir }: BuiltHome, agentId: string, plan: SessionPlan, seeded: Seeded): BuiltSession {
  const sessionId = seeded.uuid()
  const topic = plan.topic === undefined ? '' : `-topic-${encodeURIComponent(plan.topic)}`
  return { key: plan.key, agentId, sessionId, path: join(sessionsDir(agentId), `${sessionId}${topic}.jsonl`), plan }
}

function writeTranscript({ nowMs, dir }: BuiltHome, { path, sessionId, plan }: BuiltSession, seeded: Seeded): void {
  const lastAtMs = nowMs - (plan.ageMs ?? hourMs)
  const text = transcriptText({
    sessionId,
    lastAtMs,
    cwd: join(dir, 'workspace'),
    turns: plan.turns ?? 1,
    bytes: plan.bytes ?? 0,
    answered: plan.status !== 'running',
    doubled: plan.doubled ?? false,
    seeded,
  })
  writeAt(path, text, lastAtMs)
}

function writeAt(path: string, text: string, atMs: number): void {
  writeFileSync(path, text, { mode })
  utimesSync(path, atMs / 1_000, atMs / 1_000)
}

function writeLeftover({ nowMs, dir }: BuiltHome, sessionsDir: string, plan: LeftoverPlan, seeded: Seeded): string {
  const atMs = nowMs - plan.ageMs
  const id = seeded.uuid()
  const archivedAt = new Date(atMs).toISOString().replaceAll(':', '-')
  const dashed = archivedAt.replace('.', '-')
  const names: Record<LeftoverPlan['kind'], string> = {
    deleted: `${id}.jsonl.deleted.${archivedAt}`,
    reset: `${id}.jsonl.reset.${archivedAt}`,
    backup: `${id}.jsonl.bak.${archivedAt}`,
    checkpoint: `${id}.checkpoint.${seeded.uuid()}.jsonl`,
    trajectory: `${id}.trajectory.jsonl`,
    corrupt: `${id}.jsonl.corrupt-${dashed}-${seeded.hex(8)}.jsonl`,
    temporary: `${id}.jsonl.${seeded.uuid()}.tmp`,
    'index-temporary': `sessions.json.${seeded.uuid()}.tmp`,
    'index-backup': `sessions.json.bak.${atMs}`,
    prompt: join('skills-prompts', 'sha256', id.slice(0, 2), `${seeded.hex(64)}.txt`),
    side: 'sessions.json.telegram-messages.json',
  }
  const path = join(sessionsDir, names[plan.kind])
  const size = { sessionId: id, lastAtMs: atMs, cwd: join(dir, 'workspace'), turns: 1, bytes: plan.bytes ?? 0 }
  const plain = plan.kind === 'index-backup' || plan.kind === 'index-temporary' || plan.kind === 'side'
  if (plan.kind === 'prompt') mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
  const text = plain
    ? `{${' '.repeat(Math.max(0, (plan.bytes ?? 0) - 2))}}`
    : transcriptText({ ...size, answered: true, doubled: false, seeded })
  writeAt(path, text, atMs)
  return path
}

function writeLock(home: BuiltHome, sessionsDir: string, plan: LockPlan): string {
  const atMs = home.nowMs - plan.ageMs
  const path = plan.of === 'index' ? join(sessionsDir, 'sessions.json.lock') : `${home.session(plan.of).path}.lock`
  const payload = {
    pid: plan.pid,
    createdAt: new Date(atMs).toISOString(),
    ...(plan.maxHoldMs === undefined ? {} : { maxHoldMs: plan.maxHoldMs }),
    ...(plan.startTicks === undefined ? {} : { starttime: plan.startTicks }),
  }
  writeAt(path, plan.text ?? `${JSON.stringify(payload, null, 2)}\n`, atMs)
  return path
}
