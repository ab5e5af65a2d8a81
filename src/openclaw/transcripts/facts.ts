/** What is wrong with a transcript, line by line. Lines count from 1. */
export interface Damage {
  kind:
    | 'torn-tail' // the last line has no line feed and is no JSON
    | 'header-missing' // the first line is an entry, or nothing is there
    | 'header-broken' // the first line is no JSON, or no header
    | 'header-old' // version 1 or 2, which newer gateways refuse
    | 'invalid-line' // no JSON, or no entry
    | 'welded-line' // two entries in one line, as two writers leave them
    | 'duplicate-reply' // an assistant's message stored twice
    | 'duplicate-id' // two entries with one id
    | 'broken-parent' // `parentId` names no earlier entry
    | 'lone-surrogate' // half a character, which model APIs refuse
    | 'nul-bytes' // zeros, as a power cut leaves them
    | 'not-utf8'
    | 'oversized-line'
  line: number
  /** Where the line starts and how long it is, in bytes. */
  offset: number
  bytes: number
}

export interface TranscriptFacts {
  bytes: number
  lines: number
  header: { version: number; id: string; parentSession: string | null } | null
  /** Entries of any kind, and messages among them. */
  entries: number
  messages: number
  /** Entries with this text stand in it more than once and count once. */
  firstAtMs: number | null
  lastAtMs: number | null
  /** Role of the last message: `user` was perhaps never answered. */
  lastRole: string | null
  /** At most 1,000; `damaged` counts all. */
  damage: Damage[]
  damaged: number
}
