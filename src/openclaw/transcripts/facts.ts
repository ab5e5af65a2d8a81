/** What can be wrong with a transcript. Source: OpenClaw's readers and writers from 2026.5 to 2026.9, read and tried. */
export const damageKinds = [
  'torn-tail', // the last line has no line feed and is no JSON
  'unended-line', // the last line is whole and has no line feed: the next append is welded to it
  'header-missing', // the first entry stands before any header, or nothing is there; gateways then start an empty history
  'header-broken', // the same, and what stands first is no JSON
  'header-old', // version 1 or 2, which newer gateways refuse and older ones migrate by themselves
  'invalid-line', // no JSON, or no entry
  'welded-line', // several entries in one line, or whole ones and the rest of a cut one
  'id-missing', // an entry without an id: whatever follows it loses its history
  'duplicate-line', // an entry stored twice to the byte
  'duplicate-reply', // an assistant's message stored a second time by a mirror (`api: "cli"`)
  'duplicate-id', // two different entries with one id
  'broken-parent', // `parentId` names no entry, or leads in a circle; gateways drop all that was said before it
  'lone-surrogate', // half a character, which model APIs refuse
  'nul-bytes', // zeros, as a power cut leaves them
  'not-utf8',
  'oversized-line', // longer, or nested deeper, than is judged; left as it is
] as const
export type DamageKind = (typeof damageKinds)[number]

/** Damage of one line. Lines count from 1. */
export interface Damage {
  kind: DamageKind
  line: number
  /** Where the line starts and how long it is, in bytes, without its line feed. */
  offset: number
  bytes: number
}

export interface TranscriptHeader {
  /** 1 where it says none. */
  version: number
  id: string
  parentSession: string | null
  cwd: string | null
  /** When it was begun; null where it does not say. */
  atMs: number | null
}

export interface TranscriptFacts {
  bytes: number
  lines: number
  header: TranscriptHeader | null
  /** What a gateway can read of it: entries of any kind, and messages among them. What is stored twice counts once. */
  entries: number
  messages: number
  /** Of the first and the last entry that tell a time. Unit: ms. */
  firstAtMs: number | null
  lastAtMs: number | null
  /** Role of the last message: `user` was perhaps never answered. */
  lastRole: string | null
  /** At most 1,000, in the order of lines; `damaged` counts all, `counts` by kind. */
  damage: Damage[]
  damaged: number
  counts: Partial<Record<DamageKind, number>>
}

/** What no repair changes: it is reported and stays. */
export const unmended: readonly DamageKind[] = ['header-old', 'oversized-line']
