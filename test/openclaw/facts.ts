import type { DatabaseFacts } from '../../src/openclaw/database/facts/collect.ts'
import type { Identity } from '../../src/openclaw/files/identity.ts'
import { factsOfKey } from '../../src/openclaw/home/keys.ts'
import { kindOfName } from '../../src/openclaw/home/names.ts'
import { defaultHomePolicy } from '../../src/openclaw/home/policy.ts'
import type { EntryFacts, IndexFacts } from '../../src/openclaw/index/facts.ts'
import type { JudgedLock, Verdict } from '../../src/openclaw/locks/verdict.ts'
import type { Around } from '../../src/openclaw/survey/around.ts'
import type { AgentFacts, FileFacts, HomeFacts, SurveyedTranscript } from '../../src/openclaw/survey/facts.ts'
import type { DamageKind } from '../../src/openclaw/transcripts/facts.ts'

export const nowMs = Date.UTC(2026, 10, 26, 3)
export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

export const homeDir = '/home/bot/.openclaw'
export const sessionsDir = `${homeDir}/agents/main/sessions`

const identity: Identity = { dev: 1n, ino: 1n, bytes: 1n, mtimeNs: 1n, ctimeNs: 1n }

export function fileOf(name: string, more: Partial<FileFacts> = {}): FileFacts {
  const { kind, sessionId } = kindOfName(name)
  const plain = { bytes: 2_000, mtimeMs: nowMs - hourMs, identity, uid: 1000, mode: 0o600, links: 1 }
  return { name, kind, sessionId, ...plain, ...more }
}

export function entryFacts(key: string, sessionId: string, more: Partial<EntryFacts> = {}): EntryFacts {
  const { kind } = factsOfKey(key)
  const plain = {
    unsafe: null,
    elsewhere: null,
    usedAtMs: nowMs - hourMs,
    status: 'done',
    abortedLastRun: false,
    pinned: false,
  }
  return { key, kind, sessionId, transcript: `${sessionId}.jsonl`, pending: false, bytes: 900, ...plain, ...more }
}

export function lockOf(sessionId: string, verdict: Verdict, more: Partial<JudgedLock> = {}): JudgedLock {
  return {
    path: `${sessionsDir}/${sessionId}.jsonl.lock`,
    what: 'file',
    sha256: null,
    holder: null,
    identity,
    mtimeMs: nowMs - hourMs,
    payload: { pid: 15, createdAtMs: nowMs - hourMs, maxHoldMs: null, startTicks: null },
    pid: 15,
    ageMs: hourMs,
    verdict,
    proof: 'no process has this id',
    operation: null,
    overdue: false,
    ...more,
  }
}

export function readIndexOf(entries: EntryFacts[], more: object = {}): IndexFacts {
  return { state: 'read', bytes: 2_000, identity, sha256: '', entries, duplicates: [], fields: [], ...more }
}

export function readTranscript(damage: DamageKind[] = [], more: object = {}): SurveyedTranscript {
  return {
    state: 'read',
    bytes: 2_000,
    lines: 6,
    header: { version: 3, id: 'a', parentSession: null, cwd: null, atMs: null },
    entries: 5,
    messages: 2,
    firstAtMs: nowMs - 2 * hourMs,
    lastAtMs: nowMs - hourMs,
    lastRole: 'assistant',
    damage: damage.map((kind) => ({ kind, lines: 2, firstLine: 4 })),
    damaged: damage.length * 2,
    ...more,
  }
}

export function databaseFacts(more: Partial<DatabaseFacts> = {}): DatabaseFacts {
  return {
    path: `${homeDir}/agents/main/agent/openclaw-agent.sqlite`,
    agentId: 'main',
    schema: 23,
    pageBytes: 4_096,
    bytes: 80 * 1024 ** 2,
    freeBytes: 1024 ** 2,
    logBytes: 4 * 1024 ** 2,
    sessions: 12,
    windows: 14,
    rows: 400,
    largestRows: [],
    entryFields: [{ field: 'skillsSnapshot', entries: 12, bytes: 96_000 }],
    staleCronRuns: { sessions: 0, rows: 0 },
    archives: { count: 0, bytes: 0 },
    tables: null,
    problems: null,
    ...more,
  }
}

/** An agent with two conversations, in order. */
export function agentFacts(more: Partial<AgentFacts> = {}): AgentFacts {
  return {
    id: 'main',
    sessionsDir,
    state: 'read',
    files: [fileOf('a.jsonl'), fileOf('b.jsonl'), fileOf('sessions.json')],
    odd: [],
    index: readIndexOf([entryFacts('agent:main:main', 'a'), entryFacts('agent:main:telegram:direct:42', 'b')]),
    locks: [],
    transcripts: new Map([
      ['a.jsonl', readTranscript()],
      ['b.jsonl', readTranscript()],
    ]),
    ...more,
  }
}

/** A home of the file generation with nothing wrong with it. */
export function healthyFacts(more: Partial<HomeFacts> = {}): HomeFacts {
  return {
    home: {
      dir: homeDir,
      generation: 'files',
      version: '2026.7.1',
      agents: [{ id: 'main', sessionsDir, indexPath: `${sessionsDir}/sessions.json`, databasePath: null }],
      policy: defaultHomePolicy,
      configPath: `${homeDir}/openclaw.json`,
      elsewhere: null,
      receipts: [],
      unreadable: [],
    },
    nowMs,
    gateway: { state: 'stopped', proof: 'no process serves it' },
    agents: [agentFacts()],
    disk: { freeBytes: 50 * 1024 ** 3, totalBytes: 100 * 1024 ** 3, filesystem: 'ext4', untrusted: false },
    ...more,
  }
}

export function healthyAround(more: Partial<Around> = {}): Around {
  const keep = {
    kind: 'systemd',
    path: '/home/bot/.config/systemd/user/holdfast-keep.service',
    command: 'keep',
  } as const
  const log = { path: `${homeDir}/holdfast/keep.log`, writable: true }
  return {
    paths: [homeDir, `${homeDir}/agents`, `${homeDir}/agents/main`, sessionsDir].map((path) => {
      return { path, what: 'directory', uid: 1000, mode: 0o700 }
    }),
    reachable: true,
    cloud: null,
    bindings: { lists: [], unreadable: [] },
    databases: [],
    legacy: [],
    archives: { path: `${homeDir}/holdfast/archives`, state: 'absent', runs: 0, bytes: 0, unfinished: [] },
    schedule: {
      entries: [{ ...keep, homes: [homeDir], missingHomes: [], missingProgram: null, log, active: true }],
      unreadable: [],
    },
    siblings: [],
    unreadable: [],
    ...more,
  }
}
