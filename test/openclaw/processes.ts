import type { FileId, OpenFileFacts, ProcessDetails, ProcessFacts, ProcessTable } from '../../src/host/processes.ts'

export const bootedAtMs = Date.UTC(2026, 10, 20)
export const ownNamespaces = { pidNamespace: 'pid:[4026531836]', timeNamespace: 'time:[4026531834]' }
export const homeId: FileId = { dev: 254n, ino: 77n }

/** A process of a table that is made for a test; `details: null` is one that is not ours to look into. */
export interface MadeProcess extends Partial<ProcessFacts> {
  pid: number
  details?: Partial<ProcessDetails> | null
}

/** A machine on which all is seen, and clocks are right. Paths in `files` are the same for every process. */
export function tableOf(
  processes: readonly MadeProcess[],
  more: Partial<ProcessTable> & { files?: Record<string, FileId> } = {},
): ProcessTable {
  const { files = {}, ...rest } = more
  const details = new Map(processes.map((each) => [each.pid, each.details]))
  return {
    system: 'linux',
    readAtMs: Date.UTC(2026, 10, 26, 3),
    own: { pid: 4_000, uid: 0, ...ownNamespaces, unseen: null },
    processes: processes.map(factsOf),
    bootedAtMs,
    doubtMs: 0,
    look: (pid) => detailsOf(details.get(pid)),
    fileAt: (_, path) => files[path] ?? null,
    again: (pid) => processes.map(factsOf).find((each) => each.pid === pid) ?? null,
    mountOf: () => ({ point: '/', shared: null }),
    ...rest,
  }
}

function factsOf({ details: _, ...process }: MadeProcess): ProcessFacts {
  const { pid, ids = [pid], startTicks = 1_000 + pid } = process
  return {
    ids,
    parent: 1,
    uid: 1000,
    state: 'S',
    kernel: false,
    name: 'node',
    argv: ['node', 'server.js'],
    startTicks,
    ownStartTicks: startTicks,
    startedAtMs: startTicks === null ? null : bootedAtMs + startTicks * 10,
    cpuMs: 1_000,
    ...ownNamespaces,
    ...process,
  }
}

function detailsOf(details: Partial<ProcessDetails> | null | undefined): ProcessDetails | null {
  if (details === null) return null
  const plain = { environment: {}, program: '/usr/bin/node', cwd: '/', container: null, openFiles: [], cut: false }
  return { ...plain, ...details }
}

export function opened(path: string, file: FileId | null = null, writes = true): OpenFileFacts {
  return { path, file, writes }
}

/** The gateway of `/home/bot/.openclaw`, as 2026.5.18 shows itself. */
export function gatewayProcess(more: MadeProcess): MadeProcess {
  const openFiles = [opened('/home/bot/.openclaw/tasks/runs.sqlite')]
  return { argv: ['openclaw'], name: 'openclaw', details: { openFiles }, ...more }
}
