import { formatDuration } from '../../../model/units.ts'
import { type FileKind, kindOfName } from '../../home/names.ts'
import type { HomePolicy } from '../../home/policy.ts'
import type { AgentFacts, FileFacts } from '../../survey/facts.ts'
import type { Session } from './sessions.ts'
import { pastLimit, type Staying } from './stay.ts'

/** A file that no session needs any more, and why it goes. */
export interface LooseFile {
  kind: 'archive-transcript' | 'archive-leftover' | 'remove-temporary'
  file: FileFacts
  because: string
}

/** What people call each kind of what is left. */
const leftovers: Partial<Record<FileKind, string>> = {
  deleted: 'left by a deletion',
  reset: 'left by a reset',
  backup: 'a backup of a transcript',
  corrupt: 'set aside as unreadable',
  checkpoint: 'a checkpoint of a session that is gone or idle',
  trajectory: 'a trace of a session that is gone or idle',
  'trajectory-pointer': 'it points to a trace of a session that is gone or idle',
  stream: 'a record of a session that is gone or idle',
}

const temporaryKinds: ReadonlySet<FileKind> = new Set(['temporary', 'index-temporary'])
/** They belong to a session for as long as that is there and used. */
const companionKinds: ReadonlySet<FileKind> = new Set(['checkpoint', 'trajectory', 'trajectory-pointer', 'stream'])

/**
 * Transcripts that no entry names, which may be what somebody said before a reset; what gateways leave behind; what writers did not live
 * to rename. `sessions` is null where the index cannot be trusted to name all that is in use.
 */
export function looseFilesOf(
  agent: AgentFacts,
  sessions: readonly Session[] | null,
  stay: Staying,
  policy: HomePolicy,
  nowMs: number,
): LooseFile[] {
  const inUse = sessions === null ? null : usedAtOf(sessions)
  const keptBackups = new Set(newestBackups(agent.files, policy.indexBackupsKept))
  return agent.files.flatMap((file): LooseFile[] => {
    const found = temporaryKinds.has(file.kind)
      ? temporaryOf(file, policy, nowMs)
      : file.kind === 'index-backup'
        ? backupOf(file, keptBackups, policy, nowMs)
        : file.kind === 'transcript'
          ? transcriptOf(file, inUse, policy, nowMs)
          : leftoverOf(file, inUse, policy, nowMs)
    if (found === null) return []
    return found.kind === 'remove-temporary' || stay.file(file) === null ? [found] : []
  })
}

/** When each file that belongs to a session was last of use to it; by name. */
function usedAtOf(sessions: readonly Session[]): Map<string, number> {
  return new Map(sessions.flatMap(({ files, usedAtMs }) => files.map(({ name }) => [name, usedAtMs] as const)))
}

function temporaryOf(file: FileFacts, { temporaryMs, sources }: HomePolicy, nowMs: number): LooseFile | null {
  const ageMs = nowMs - file.mtimeMs
  if (ageMs <= temporaryMs || file.links > 1) return null
  const what = `left by a writer that did not finish, ${formatDuration(ageMs)} old`
  return { kind: 'remove-temporary', file, because: pastLimit(what, temporaryMs, sources.temporaryMs) }
}

/** Copies of an index are what it is mended from: the newest stay, however old. */
function backupOf(
  file: FileFacts,
  kept: ReadonlySet<string>,
  { leftoverMs, indexBackupsKept }: HomePolicy,
  nowMs: number,
): LooseFile | null {
  if (kept.has(file.name) || nowMs - timeOf(file) <= leftoverMs) return null
  const because = `a copy of the index from ${formatDuration(nowMs - timeOf(file))} ago; the newest ${indexBackupsKept} stay`
  return { kind: 'archive-leftover', file, because }
}

function newestBackups(files: readonly FileFacts[], kept: number): string[] {
  return files
    .filter(({ kind }) => kind === 'index-backup')
    .sort((a, b) => timeOf(b) - timeOf(a) || (a.name < b.name ? 1 : -1))
    .slice(0, kept)
    .map(({ name }) => name)
}

function transcriptOf(
  file: FileFacts,
  inUse: ReadonlyMap<string, number> | null,
  { transcriptIdleMs, sources }: HomePolicy,
  nowMs: number,
): LooseFile | null {
  if (inUse === null || inUse.has(file.name)) return null
  const ageMs = nowMs - file.mtimeMs
  if (ageMs <= transcriptIdleMs) return null
  const what = `no entry names it, and nothing was written to it for ${formatDuration(ageMs)}`
  return { kind: 'archive-transcript', file, because: pastLimit(what, transcriptIdleMs, sources.transcriptIdleMs) }
}

function leftoverOf(
  file: FileFacts,
  inUse: ReadonlyMap<string, number> | null,
  policy: HomePolicy,
  nowMs: number,
): LooseFile | null {
  const what = leftovers[file.kind]
  if (what === undefined) return null
  if (companionKinds.has(file.kind)) {
    if (inUse === null) return null
    const usedAtMs = inUse.get(file.name)
    if (usedAtMs !== undefined && nowMs - usedAtMs <= policy.transcriptIdleMs) return null
  }
  const rule = file.kind === 'reset' ? 'resetMs' : 'leftoverMs'
  const limitMs = policy[rule]
  const ageMs = nowMs - timeOf(file)
  if (limitMs === null || ageMs <= limitMs) return null
  const because = pastLimit(`${what}, ${formatDuration(ageMs)} old`, limitMs, policy.sources[rule])
  return { kind: 'archive-leftover', file, because }
}

/** A rename keeps the time of a file; the time of a deletion or a reset stands in the name. */
function timeOf({ name, mtimeMs }: FileFacts): number {
  return Math.max(mtimeMs, kindOfName(name).atMs ?? 0)
}
