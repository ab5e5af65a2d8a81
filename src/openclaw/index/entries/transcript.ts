import { fileSessionId, kindOfName } from '../../home/names.ts'

/** Where a gateway keeps the transcript of an entry. */
export interface TranscriptPlace {
  /** Names in the sessions directory; the first that is there is it, or is to be made. Empty: it would lie elsewhere, or nowhere. */
  names: string[]
  /** The directory that `sessionFile` names, where it is not the sessions directory. */
  elsewhere: string | null
}

/** The longest path of any system that a gateway runs on (Windows, with its prefix). Unit: characters. */
const pathLengthMax = 32_767

/**
 * As `resolveSessionFilePath` of 2026.5 to 2026.7: `sessionFile` when it lies inside the sessions directory, else the file of the session's
 * id. A path to `agents/<agent>/sessions/<name>` under another prefix is kept by a gateway as it is; whoever sees the home under another path than its
 * gateway does (from outside a container, after a move, through a link) finds that file here.
 */
export function placeOfTranscript(
  agent: { id: string; sessionsDir: string },
  key: string,
  sessionId: string | null,
  sessionFile: string | null,
): TranscriptPlace {
  const named = sessionFile === null ? null : placeOfFile(agent, sessionFile.trim())
  return named ?? { names: namesOf(key, sessionId), elsewhere: null }
}

/** Null where a gateway does without `sessionFile`. */
function placeOfFile(agent: { id: string; sessionsDir: string }, file: string): TranscriptPlace | null {
  if (file === '' || file.length > pathLengthMax || file.includes('\0')) return null
  if (!isAbsolutePath(file)) {
    if (file.startsWith('..')) return null
    return placeOfWay(segmentsOf(file), agent.sessionsDir)
  }
  const segments = resolved(segmentsOf(file))
  const own = segmentsOf(agent.sessionsDir)
  if (own.every((segment, index) => segments[index] === segment))
    return segments.length === own.length ? null : placeOfWay(segments.slice(own.length), agent.sessionsDir)
  const sessionsAt = segments.lastIndexOf('sessions')
  if (sessionsAt < 2 || segments[sessionsAt - 2] !== 'agents') return null
  const elsewhere = file.slice(0, Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')))
  const isHere = segments[sessionsAt - 1]?.toLowerCase() === agent.id && segments.length === sessionsAt + 2
  return { names: isHere ? segments.slice(-1) : [], elsewhere }
}

/** Relative to the sessions directory. Below or above it is elsewhere: a gateway would go there, and nothing else looks there. */
function placeOfWay(segments: string[], sessionsDir: string): TranscriptPlace {
  const way = goesAbove(segments) ? segments : resolved(segments)
  const name = way.at(-1)
  if (name === undefined) return { names: [], elsewhere: null }
  if (way.length === 1) return { names: [name], elsewhere: null }
  return { names: [], elsewhere: [sessionsDir, ...way.slice(0, -1)].join('/') }
}

/** What a gateway calls the transcript of an entry that names none: after its topic, where the key ends with one. */
function namesOf(key: string, sessionId: string | null): string[] {
  if (sessionId === null || !isFileId(sessionId)) return []
  const plain = `${sessionId}.jsonl`
  const topic = /:(?:thread|topic):([^:]+)$/i.exec(key)?.[1]
  return topic === undefined ? [plain] : [`${sessionId}-topic-${encoded(topic)}.jsonl`, plain]
}

/** An id that a gateway makes a file name of: not one whose file would be taken for a checkpoint. */
export function isFileId(sessionId: string): boolean {
  return fileSessionId.test(sessionId) && kindOfName(`${sessionId}.jsonl`).kind !== 'checkpoint'
}

function encoded(topic: string): string {
  return topic.isWellFormed() ? encodeURIComponent(topic) : ''
}

const drive = /^[A-Za-z]:[\\/]/

function isAbsolutePath(file: string): boolean {
  return file.startsWith('/') || file.startsWith('\\\\') || drive.test(file)
}

function segmentsOf(path: string): string[] {
  const separator = drive.test(path) || path.startsWith('\\\\') ? /[\\/]/ : '/'
  return path.split(separator).filter((segment) => segment !== '' && segment !== '.')
}

function resolved(segments: string[]): string[] {
  const way: string[] = []
  for (const segment of segments) {
    if (segment === '..') way.pop()
    else way.push(segment)
  }
  return way
}

function goesAbove(segments: string[]): boolean {
  let depth = 0
  return segments.some((segment) => {
    depth += segment === '..' ? -1 : 1
    return depth < 0
  })
}
