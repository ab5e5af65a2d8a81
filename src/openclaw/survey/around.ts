import type { DatabaseFacts } from '../database/facts/collect.ts'
import type { BoundFiles } from './bindings.ts'

/** What stands around the sessions of a home. Only the doctor looks at it: a sweep or a start does not need it. */
export interface Around {
  /** The home, the directories down to the sessions, and files with secrets, as far as they are there. */
  paths: PathFacts[]
  /** People other than the owner of the home can come as far as the home's own directory. */
  reachable: boolean
  /** A folder that a program copies to another computer: `iCloud`, `OneDrive`, `Dropbox`; null: none that is known. */
  cloud: string | null
  bindings: BoundFiles
  databases: SurveyedDatabase[]
  legacy: LegacyRoot[]
  archives: ArchiveFacts
  schedule: ScheduleFacts
  /** Other state directories of the same person. Absolute paths. */
  siblings: string[]
  /** What could not be looked at: path and reason. */
  unreadable: { path: string; because: string }[]
}

export interface PathFacts {
  /** Absolute. */
  path: string
  what: 'directory' | 'file'
  uid: number
  /** Permission bits, `0o755`. */
  mode: number
}

/** An agent's database, or why nothing is known of it. */
export type SurveyedDatabase =
  | { state: 'read'; facts: DatabaseFacts }
  /** `damaged`: SQLite says so; `unknown`: a schema or a role that is not known here; `busy`: a gateway has just begun. */
  | { state: 'unreadable' | 'damaged' | 'unknown' | 'busy'; agentId: string; path: string; because: string }

/** A directory in which older releases kept sessions; newer ones do not look there. */
export interface LegacyRoot {
  path: string
  files: number
  bytes: number
}

/** What Holdfast has put away: `<home>/holdfast/archives`. */
export interface ArchiveFacts {
  path: string
  state: 'absent' | 'read' | { unreadable: string }
  runs: number
  bytes: number
  /** Names of runs that were killed on the way: neither finished nor undone. */
  unfinished: string[]
}

/** What starts Holdfast by itself on this host, whoever wrote it down. */
export interface ScheduleFacts {
  entries: ScheduledCommand[]
  /** What could not be looked at: path or command, and the reason. */
  unreadable: { path: string; because: string }[]
}

export interface ScheduledCommand {
  kind: 'cron' | 'systemd' | 'launchd'
  /** Where it is written: a path, or `crontab`. */
  path: string
  /** `keep`, `prestart`, `clean`. */
  command: string
  /** Of `--home`; empty: it looks for homes by itself. Absolute paths. */
  homes: string[]
  /** Of those the ones that are not there. */
  missingHomes: string[]
  /** Of the words that start it, the one that names a program or script and is not there; null: all are. */
  missingProgram: string | null
  log: { path: string; writable: boolean } | null
  /** The system starts it: a unit is enabled, an agent is loaded. null: cannot be told. */
  active: boolean | null
}
