/**
 * What a name in a sessions directory means. Source: openclaw's own naming, 2026.2 to 2026.9.
 * `transcript` is one that a session may be bound to, also one written by a fork or a compaction.
 */
export const fileKinds = [
  'index',
  'index-lock',
  'index-temporary',
  'index-backup', // `sessions.json.bak.<ms>`, or a copy that somebody made beside it
  'index-side', // `sessions.json.telegram-messages.json` and other files that a channel keeps beside the index
  'transcript',
  'lock',
  'deleted',
  'reset',
  'backup',
  'corrupt', // a transcript or an index that a gateway has set aside as unreadable
  'checkpoint',
  'trajectory',
  'trajectory-pointer',
  'stream',
  'prompt',
  'migration', // belongs to the move to SQLite, or to the database: never touched
  'temporary',
  'unknown',
] as const
export type FileKind = (typeof fileKinds)[number]

export interface NameFacts {
  kind: FileKind
  /** Of the session that it belongs to; null where the name says none, or one that a gateway would refuse. */
  sessionId: string | null
  /** The time that stands in the name; null where none does. Unit: ms. */
  atMs: number | null
}

/** Ids that a gateway makes file names of. */
export const fileSessionId = /^[a-z0-9][a-z0-9._-]{0,127}$/i

const hex = '[0-9a-fA-F]'
/** As a gateway tells a checkpoint from a session whose id ends like one. */
const uuid = `${hex}{8}-${hex}{4}-[1-5]${hex}{3}-[89abAB]${hex}{3}-${hex}{12}`
/** Archives have a point before the milliseconds, other names a dash: `2026-05-01T10-11-12.345Z`, `2026-05-01T10-11-12-345Z`. */
const stamp = '\\d{4}-\\d{2}-\\d{2}T\\d{2}-\\d{2}-\\d{2}(?:[.-]\\d{3})?Z'

/** Tried in order. What stands in `<…>` is put in: `index` is the name of the index. */
const patterns: readonly [FileKind, RegExp][] = [
  ['index-temporary', /^\.?<index>\..*\.tmp$/],
  ['temporary', /\.tmp$|\.tmp-[^.]+$|^\.(?:fs-safe|tmp)-/],
  ['index', /^<index>$/],
  ['index-lock', /^<index>\.lock$/],
  ['migration', /\.migrated(?:\.\d+)?$|^session-sqlite-import-archive$|^cold$|^<hex>{64}\.jsonl\.zst$/],
  ['corrupt', /^<index>\.corrupt-(?<at>.+)$/],
  ['index-backup', /^<index>\.bak(?:\.(?<at>\d+))?$/],
  // ours: it keeps two processes from writing one index at once
  ['index-side', /^<index>\.holdfast-guard$/],
  ['index-side', /^<index>\..+\.json$|^\.usage-cost-cache\./],
  ['prompt', /^<hex>{64}\.txt$|^skills-prompts$/],
  ['lock', /^(?<of>.+)\.jsonl\.lock$/],
  ['deleted', /^(?<of>.+)\.jsonl\.deleted\.(?<at><stamp>)(?:\.<hex>{32})?(?:\.zst)?$/],
  ['reset', /^(?<of>.+)\.jsonl\.reset\.(?<at><stamp>)(?:\.<hex>{32})?(?:\.zst)?$/],
  ['backup', /^(?<of>.+)\.jsonl\.bak\.(?<at><stamp>)(?:\.<hex>{32})?(?:\.zst)?$/],
  ['backup', /^(?<of>.+)\.jsonl\.bak-\d+-(?<at>\d+)$/],
  ['backup', /^(?<of>.+)\.jsonl\.pre-doctor-[a-z-]+-(?<at><stamp>)\.bak$/],
  ['backup', /^(?<of>.+)\.jsonl\.bak$/],
  ['corrupt', /^(?<of>.+)\.jsonl\.corrupt-(?<at><stamp>)-<hex>{8}\.jsonl$/],
  ['checkpoint', /^(?<of>.+)\.checkpoint\.<uuid>\.jsonl$/],
  ['trajectory', /^(?<of>.+)\.trajectory\.jsonl$/],
  ['trajectory-pointer', /^(?<of>.+)\.trajectory-path\.json$/],
  ['stream', /^(?<of>.+)\.acp-stream\.jsonl$/],
  ['transcript', /^(?<at><stamp>)_(?<of>.+)\.jsonl$/],
  ['transcript', /^(?<of>.+)\.jsonl$/],
]

const patternsOf = new Map<string, [FileKind, RegExp][]>()

/** Every name has a kind; `unknown` where no release writes such a one. `indexName` differs where `session.store` says so. */
export function kindOfName(name: string, indexName = 'sessions.json'): NameFacts {
  for (const [kind, pattern] of compiled(indexName)) {
    const groups = pattern.exec(name)
    if (groups === null) continue
    const { of, at } = groups.groups ?? {}
    return { kind, sessionId: of === undefined ? null : sessionIdOf(of), atMs: at === undefined ? null : timeOf(at) }
  }
  return { kind: 'unknown', sessionId: null, atMs: null }
}

function compiled(indexName: string): [FileKind, RegExp][] {
  const found = patternsOf.get(indexName)
  if (found !== undefined) return found
  const parts: Record<string, string> = { index: indexName.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), hex, uuid, stamp }
  const made = patterns.map(([kind, { source }]): [FileKind, RegExp] => {
    const filled = source.replace(/<(index|hex|uuid|stamp)>/g, (_, part: string) => parts[part] ?? '')
    return [kind, new RegExp(filled, 's')]
  })
  patternsOf.set(indexName, made)
  return made
}

const companion = new RegExp(`\\.(?:trajectory|acp-stream|checkpoint\\.${uuid})$`)
const forked = new RegExp(`^${stamp}_`)

/** A topic's transcript is named after its session and the topic: `<id>-topic-7`. */
function sessionIdOf(base: string): string | null {
  const plain = base.replace(companion, '').replace(forked, '')
  const topicAt = plain.indexOf('-topic-', 1)
  const id = topicAt === -1 ? plain : plain.slice(0, topicAt)
  return fileSessionId.test(id) ? id : null
}

function timeOf(text: string): number | null {
  const iso = text.replace(/T(\d\d)-(\d\d)-(\d\d)(?:[.-](\d{3}))?Z$/, (_, hours, minutes, seconds, millis = '000') => {
    return `T${hours}:${minutes}:${seconds}.${millis}Z`
  })
  const atMs = /^\d+$/.test(text) ? Number(text) : Date.parse(iso)
  return Number.isSafeInteger(atMs) ? atMs : null
}
