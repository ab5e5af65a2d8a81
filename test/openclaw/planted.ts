import type { FindingCode } from '../../src/openclaw/doctor/catalog.ts'
import { defaultHomePolicy } from '../../src/openclaw/home/policy.ts'
import type { Around, SurveyedDatabase } from '../../src/openclaw/survey/around.ts'
import type { AgentFacts, HomeFacts } from '../../src/openclaw/survey/facts.ts'
import type { DamageKind } from '../../src/openclaw/transcripts/facts.ts'
import {
  agentFacts,
  databaseFacts,
  dayMs,
  entryFacts,
  fileOf,
  healthyAround,
  healthyFacts,
  homeDir,
  hourMs,
  lockOf,
  nowMs,
  readIndexOf,
  readTranscript,
  sessionsDir,
} from './facts.ts'

/** What is changed of a healthy home. */
export interface Planted {
  facts?: Partial<HomeFacts>
  agent?: Partial<AgentFacts>
  around?: Partial<Around>
}

const healthy = agentFacts()
/** Its start goes on only with what was marked. */
const older = { ...healthyFacts().home, version: '2026.5.18' }
const healthyEntries = healthy.index.state === 'read' ? healthy.index.entries : []
export const withFile = (name: string, more: object = {}) => ({ files: [...healthy.files, fileOf(name, more)] })
export const withEntry = (key: string, id: string, more: { usedAtMs?: number; [field: string]: unknown } = {}) => ({
  ...withFile(`${id}.jsonl`, more.usedAtMs === undefined ? {} : { mtimeMs: more.usedAtMs }),
  index: readIndexOf([...healthyEntries, entryFacts(key, id, more)]),
})
export const withDamage = (...damage: DamageKind[]) => ({
  transcripts: new Map([...healthy.transcripts, ['b.jsonl', readTranscript(damage)]]),
})
export const home = (more: object) => ({ home: { ...healthyFacts().home, ...more } })
const policy = (more: object) => home({ policy: { ...defaultHomePolicy, ...more } })
const archives = healthyAround().archives
const [schedule] = healthyAround().schedule.entries
export const scheduled = (more: object) => ({
  schedule: { entries: schedule === undefined ? [] : [{ ...schedule, ...more }], unreadable: [] },
})
const many = (count: number) => Array.from({ length: count }, (_, at) => entryFacts(`agent:main:group:${at}`, `g${at}`))
const disk = { freeBytes: 50 * 1024 ** 3, totalBytes: 100 * 1024 ** 3, filesystem: 'ext4', untrusted: false }
export const cut = { status: 'running', abortedLastRun: true }

function bound(key: string, usedAtMs = nowMs): Partial<Around> {
  const path = `${homeDir}/discord/thread-bindings.json`
  const thread = { place: 'default:1', key, boundAtMs: usedAtMs, usedAtMs, idleMs: null, ageMaxMs: null }
  return {
    bindings: {
      lists: [{ judged: { path, identity: fileOf('').identity, sha256: null }, bindings: [thread] }],
      unreadable: [],
    },
  }
}

export function opened(mode: number): Partial<Around> {
  return { paths: healthyAround().paths.map((each) => ({ ...each, mode })) }
}

function databases(database: SurveyedDatabase): Partial<Around> {
  return { databases: [database] }
}
const unread = { agentId: 'main', path: databaseFacts().path, because: 'it says so' }

/** What each code is for: it alone is found. */
export const planted: Partial<Record<FindingCode, Planted[]>> = {
  LOCK_DEAD: [{ agent: { locks: [lockOf('a', 'dead')] } }],
  LOCK_RECYCLED: [{ agent: { locks: [lockOf('a', 'recycled')] } }],
  LOCK_MALFORMED: [{ agent: { locks: [lockOf('a', 'malformed', { pid: null })] } }],
  LOCK_OVERDUE: [{ agent: { locks: [lockOf('a', 'live', { overdue: true })] } }],
  LOCK_UNKNOWN: [
    { agent: { locks: [lockOf('a', 'unknown', { overdue: true, ageMs: 1_000 })] } },
    { agent: { locks: [lockOf('a', 'unknown', { ageMs: 30 * 60_000 + 1 })] } },
  ],
  LOCK_HELD: [
    { agent: { locks: [lockOf('a', 'live')] } },
    { agent: { locks: [lockOf('a', 'unknown', { ageMs: 30 * 60_000 })] } },
  ],
  INDEX_EMPTY_OVER_TRANSCRIPTS: [
    { agent: { index: { state: 'absent' } } },
    { agent: { index: { state: 'unreadable', because: 'it is empty', bytes: 0, identity: fileOf('').identity } } },
    { agent: { index: readIndexOf([], { bytes: 2 }) } },
  ],
  INDEX_UNREADABLE: [
    { agent: { index: { state: 'unreadable', because: 'it is a directory', bytes: 0, identity: null } } },
    { agent: { index: { state: 'unreadable', because: 'it is torn', bytes: 9, identity: null } } },
  ],
  INDEX_DUPLICATES: [{ agent: { index: readIndexOf(healthyEntries, { duplicates: ['agent:main:main'] }) } }],
  INDEX_LARGE: [
    {
      agent: {
        index: readIndexOf([entryFacts('agent:main:main', 'a'), entryFacts('x', 'b')], { bytes: 10 * 1024 ** 2 + 1 }),
      },
    },
  ],
  INDEX_BLOAT: [
    {
      agent: {
        index: readIndexOf([entryFacts('agent:main:main', 'a'), entryFacts('x', 'b')], {
          bytes: 2 * 1024 ** 2,
          fields: [{ field: 'skillsSnapshot', entries: 2, bytes: 1.1 * 1024 ** 2, repeatedBytes: 1024 ** 2 }],
        }),
      },
    },
  ],
  INDEX_CROWDED: [
    {
      agent: { files: [...many(501).map(({ transcript }) => fileOf(transcript ?? ''))], index: readIndexOf(many(501)) },
    },
  ],
  ENTRY_UNSAFE_ID: [
    { agent: withEntry('agent:main:x', 'c', { unsafe: 'its id has a slash', sessionId: null, transcript: 'c.jsonl' }) },
  ],
  ENTRY_OUTSIDE: [
    {
      agent: {
        index: readIndexOf([
          entryFacts('agent:main:main', 'a'),
          entryFacts('y', 'b'),
          entryFacts('x', 'c', { transcript: null, elsewhere: '/elsewhere' }),
        ]),
      },
    },
  ],
  ENTRY_MOVED: [{ agent: withEntry('agent:main:x', 'c', { elsewhere: '/data/agents/main/sessions' }) }],
  ENTRY_WITHOUT_TRANSCRIPT: [{ agent: { files: [fileOf('a.jsonl')] } }],
  TRANSCRIPT_WITHOUT_ENTRY: [{ agent: withFile('c.jsonl') }],
  CRON_RUNS_STALE: [{ agent: withEntry('agent:main:cron:j:run:c', 'c', { usedAtMs: nowMs - dayMs - 1 }) }],
  SESSIONS_IDLE: [{ agent: withEntry('agent:main:telegram:direct:7', 'c', { usedAtMs: nowMs - 5 * dayMs - 1 }) }],
  RESUME_BURDEN: [
    {
      agent: {
        files: many(6).map(({ transcript }) => fileOf(transcript ?? '')),
        index: readIndexOf(many(6).map((entry) => ({ ...entry, ...cut }))),
      },
    },
  ],
  RESUME_STALE: [{ agent: withEntry('agent:main:group:7', 'c', { ...cut, usedAtMs: nowMs - dayMs - 1 }) }],
  RUN_INTERRUPTED: [
    { agent: withEntry('agent:main:group:7', 'c', { status: 'running' }), facts: { home: older } },
    { agent: withEntry('agent:main:cron:j', 'c', cut) },
    {
      agent: withEntry('agent:main:group:7', 'c', { ...cut, status: 'running', abortedLastRun: false }),
      facts: {
        home: older,
        gateway: { state: 'running', pid: 7, sinceMs: nowMs - hourMs + 1, proof: '', container: null },
      },
    },
  ],
  BINDING_STALE: [
    { around: bound('agent:main:subagent:gone') },
    { around: bound('agent:main:main', nowMs - 31 * dayMs) },
  ],
  BINDING_UNREADABLE: [{ around: { bindings: { lists: [], unreadable: [{ path: '/x', because: 'it is torn' }] } } }],
  TRANSCRIPT_TORN: [{ agent: withDamage('torn-tail') }],
  TRANSCRIPT_UNENDED: [{ agent: withDamage('unended-line') }],
  TRANSCRIPT_HEADER: [{ agent: withDamage('header-missing') }, { agent: withDamage('header-broken') }],
  TRANSCRIPT_OLD: [{ agent: withDamage('header-old') }],
  TRANSCRIPT_INVALID: [{ agent: withDamage('invalid-line') }],
  TRANSCRIPT_WELDED: [{ agent: withDamage('welded-line') }],
  TRANSCRIPT_NO_ID: [{ agent: withDamage('id-missing') }],
  TRANSCRIPT_DUPLICATE_LINE: [{ agent: withDamage('duplicate-line') }],
  TRANSCRIPT_DUPLICATE_REPLY: [{ agent: withDamage('duplicate-reply') }],
  TRANSCRIPT_DUPLICATE_ID: [{ agent: withDamage('duplicate-id') }],
  TRANSCRIPT_CHAIN: [{ agent: withDamage('broken-parent') }],
  TRANSCRIPT_SURROGATE: [{ agent: withDamage('lone-surrogate') }],
  TRANSCRIPT_ZEROS: [{ agent: withDamage('nul-bytes') }],
  TRANSCRIPT_ENCODING: [{ agent: withDamage('not-utf8') }],
  TRANSCRIPT_LONG_LINE: [{ agent: withDamage('oversized-line') }],
  TRANSCRIPT_LARGE: [{ agent: { files: [fileOf('a.jsonl', { bytes: 4 * 1024 ** 2 + 1 }), fileOf('b.jsonl')] } }],
  TRANSCRIPT_UNREADABLE: [
    { agent: { transcripts: new Map([['a.jsonl', { state: 'unreadable', because: 'no access' }]]) } },
  ],
  LEFTOVERS: [
    { agent: withFile('c.jsonl.deleted.2026-11-20T06-40-10.411Z', { mtimeMs: nowMs - dayMs - 1 }) },
    { agent: withFile('c.trajectory.jsonl', { mtimeMs: nowMs - dayMs - 1 }) },
  ],
  TEMPORARIES: [{ agent: withFile('sessions.json.1f0e.tmp', { mtimeMs: nowMs - 5 * 60_000 - 1 }) }],
  DISK_BUDGET: [{ facts: policy({ diskBudget: { maxBytes: 5_999, lowBytes: 5_000 } }) }],
  ODD_FILES: [
    { agent: { odd: [{ name: 'c.jsonl', what: 'link' }] } },
    { agent: { odd: [{ name: 'c.jsonl', what: 'directory' }] } },
  ],
  FILES_LINKED: [{ agent: { files: [fileOf('a.jsonl', { links: 2 }), fileOf('b.jsonl')] } }],
  LEGACY_ROOT: [{ around: { legacy: [{ path: `${homeDir}/sessions`, files: 2, bytes: 9 }] } }],
  MIGRATION_UNFINISHED: [
    { facts: home({ generation: 'mixed', agents: [{ id: 'main', sessionsDir, indexPath: '', databasePath: '/x' }] }) },
  ],
  ARCHIVE_UNFINISHED: [{ around: { archives: { ...archives, state: 'read', runs: 3, unfinished: ['r1'] } } }],
  ARCHIVE_UNREADABLE: [{ around: { archives: { ...archives, state: { unreadable: 'no access' } } } }],
  PLACE_UNREADABLE: [
    { agent: { state: { unreadable: 'no access' }, files: [], index: { state: 'absent' } } },
    { facts: home({ unreadable: [{ path: `${homeDir}/agents`, because: 'no access' }] }) },
    { facts: { disk: { unreadable: 'no answer' } } },
    { around: { unreadable: [{ path: `${homeDir}/sessions`, because: 'no access' }] } },
  ],
  CONFIG_UNREADABLE: [{ facts: home({ unreadable: [{ path: `${homeDir}/openclaw.json`, because: 'line 3' }] }) }],
  DISK_FULL: [{ facts: { disk: { ...disk, freeBytes: 128 * 1024 ** 2 + 1_999 } } }],
  DISK_LOW: [{ facts: { disk: { ...disk, freeBytes: 128 * 1024 ** 2 + 2_000 } } }],
  FILESYSTEM_UNTRUSTED: [{ facts: { disk: { ...disk, filesystem: 'nfs', untrusted: true } } }],
  FILESYSTEM_MEMORY: [{ facts: { disk: { ...disk, filesystem: 'tmpfs' } } }],
  CLOUD_SYNCED: [{ around: { cloud: 'Dropbox' } }],
  MODE_OPEN: [{ agent: { files: [fileOf('a.jsonl', { mode: 0o644 }), fileOf('b.jsonl')] }, around: opened(0o755) }],
  MODE_WRITABLE: [
    { agent: { files: [fileOf('a.jsonl', { mode: 0o602 }), fileOf('b.jsonl')] }, around: opened(0o755) },
    { around: opened(0o777) },
  ],
  OWNER_OTHER: [{ agent: { files: [fileOf('a.jsonl', { uid: 0 }), fileOf('b.jsonl')] } }],
  CLOCK_SUSPECT: [{ agent: { files: [fileOf('a.jsonl', { mtimeMs: nowMs + 11 * 60_000 }), fileOf('b.jsonl')] } }],
  GATEWAY_UNKNOWN: [{ facts: { gateway: { state: 'unknown', because: 'its processes cannot be seen' } } }],
  HOMES_SEVERAL: [{ around: { siblings: ['/home/bot/.openclaw-old'] } }],
  DATABASE_UNREADABLE: [{ around: databases({ ...unread, state: 'unreadable' }) }],
  DATABASE_DAMAGED: [
    { around: databases({ ...unread, state: 'damaged' }) },
    { around: databases({ state: 'read', facts: databaseFacts({ problems: ['row 3 missing from index x'] }) }) },
  ],
  DATABASE_UNKNOWN: [{ around: databases({ ...unread, state: 'unknown' }) }],
  DATABASE_BUSY: [{ around: databases({ ...unread, state: 'busy' }) }],
  DATABASE_WAL: [{ around: databases({ state: 'read', facts: databaseFacts({ logBytes: 256 * 1024 ** 2 }) }) }],
  DATABASE_FREE: [{ around: databases({ state: 'read', facts: databaseFacts({ freeBytes: 41 * 1024 ** 2 }) }) }],
  DATABASE_BLOAT: [
    {
      around: databases({
        state: 'read',
        facts: databaseFacts({ entryFields: [{ field: 'skillsSnapshot', entries: 12, bytes: 21 * 1024 ** 2 }] }),
      }),
    },
  ],
  DATABASE_LARGE_ROWS: [
    {
      around: databases({
        state: 'read',
        facts: databaseFacts({ largestRows: [{ sessionId: 's', seq: 4, bytes: 5 * 1024 ** 2 }] }),
      }),
    },
  ],
  DATABASE_CRON_STALE: [
    { around: databases({ state: 'read', facts: databaseFacts({ staleCronRuns: { sessions: 3, rows: 40 } }) }) },
  ],
  SCHEDULE_ABSENT: [
    { around: { schedule: { entries: [], unreadable: [] } } },
    { around: scheduled({ homes: ['/y'] }) },
  ],
  SCHEDULE_ELSEWHERE: [{ around: scheduled({ homes: ['/y'], missingHomes: ['/y'] }) }],
  SCHEDULE_BROKEN: [{ around: scheduled({ missingProgram: '/opt/x' }) }, { around: scheduled({ active: false }) }],
  SCHEDULE_LOG: [{ around: scheduled({ log: { path: '/x/keep.log', writable: false } }) }],
  SCHEDULE_UNKNOWN: [{ around: { schedule: { entries: [], unreadable: [{ path: 'crontab', because: 'x' }] } } }],
}
