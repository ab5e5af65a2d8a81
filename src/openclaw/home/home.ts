import type { HomePolicy } from './policy.ts'

/**
 * How the gateway of a home keeps its sessions. `files`: `sessions.json` and JSONL transcripts (up to 2026.7 and its extended
 * lines); `sqlite`: one database for each agent (from 2026.8); `mixed`: both are there, so a migration has not been finished or its
 * originals were kept; `empty`: no agent has any session.
 */
export type Generation = 'files' | 'sqlite' | 'mixed' | 'empty'

/** One agent of a home. Paths are absolute, with links in their directories resolved. */
export interface AgentHome {
  id: string
  /** Where `sessions.json` and transcripts lie; it need not exist. */
  sessionsDir: string
  indexPath: string
  /** `openclaw-agent.sqlite`, where it holds sessions (schema 4 and later), or cannot be asked whether it does. */
  databasePath: string | null
}

/** A state directory of a gateway, as found on disk. Nothing in it says whether the gateway runs: see `gateway/`. */
export interface Home {
  /** Absolute, links resolved. */
  dir: string
  generation: Generation
  /** Of the release that last wrote it, as far as a file tells: `2026.5.18`. */
  version: string | null
  agents: AgentHome[]
  /** `openclaw.json` by the name that the gateway has for it, links not followed; null where there is none. */
  configPath: string | null
  /** Where the gateway sees `dir`, when that is another place: in its container. */
  elsewhere: string | null
  policy: HomePolicy
  /** Files that were named by a migration to SQLite (its receipts and archives): never touched. Absolute paths; a directory stands for all in it. */
  receipts: string[]
  /** What could not be read while finding out: path and reason. Unreadable is never empty. */
  unreadable: { path: string; because: string }[]
}
