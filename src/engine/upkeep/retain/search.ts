import { join } from 'node:path'
import { readFrame } from '../../../archive/frames.ts'
import type { ArchivedTranscript, ArchivePlace } from '../../../model/archives.ts'
import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import type { SessionKey } from '../../../model/keys.ts'
import type { Message } from '../../../model/messages.ts'
import { textOf } from '../../../model/messages.ts'
import type { Page } from '../../../store/page.ts'
import type { Keeping } from './settle.ts'

export interface ArchivedSearch {
  text: string
  limit: number
  after?: string
  key?: SessionKey
}

export interface ArchivedHit {
  id: number
  sessionKey: SessionKey
  transcript: number
  place: ArchivePlace
  /** In the frame, from 1. */
  line: number
  atMs: number | null
  text: string
}

/** Read for one page, after which it is given as far as it is: a search is never a long wait, nor a long read. */
const readLimits = { bytes: 64 * 1024 * 1024, frames: 500 }
/** Of what was written around the first word. Unit: UTF-16 code units. */
const excerptLength = 400

/**
 * Transcripts newest first by when they were taken out, within each the lines from the first on. The cursor names a place in that
 * order: what comes to the archives meanwhile is before it. @throws HoldfastError CURSOR_INVALID
 */
export async function searchArchives(
  keeping: Keeping,
  search: ArchivedSearch,
  signal: AbortSignal,
): Promise<Page<ArchivedHit>> {
  const words = search.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const items: ArchivedHit[] = []
  let place = parseCursor(search.after)
  let frames = 0
  let bytes = 0
  for (;;) {
    const [row, next] = await rowAfter(keeping, search.key, place.after)
    if (row === null) return { items, next: null }
    const fromLine = place.id === row.id ? place.line : 0
    const { hits, isWhole, line } = await searchFrame(keeping, row, words, fromLine, search.limit - items.length)
    items.push(...hits)
    frames += 1
    bytes += row.bytes
    place = isWhole ? { after: next, id: null, line: 0 } : { after: place.after, id: row.id, line }
    if (isWhole && next === null) return { items, next: null }
    const isLong = frames >= readLimits.frames || bytes >= readLimits.bytes
    if (items.length >= search.limit || isLong || signal.aborted) return { items, next: JSON.stringify(place) }
  }
}

interface Place {
  /** Cursor of the list of archived transcripts; null: its beginning. */
  after: string | null
  /** A transcript that was looked at in part, and how many of its lines. */
  id: number | null
  line: number
}

function parseCursor(text: string | undefined): Place {
  if (text === undefined) return { after: null, id: null, line: 0 }
  try {
    const { after, id = null, line } = (JSON.parse(text) ?? {}) as Partial<Place>
    if ((after === null || typeof after === 'string') && Number.isSafeInteger(line))
      return { after, id, line: line as number }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new HoldfastError('CURSOR_INVALID')
}

async function rowAfter(
  { store }: Keeping,
  key: SessionKey | undefined,
  after: string | null,
): Promise<[ArchivedTranscript | null, string | null]> {
  const page = await store.listArchived({
    limit: 1,
    ...(key === undefined ? {} : { key }),
    ...(after === null ? {} : { after }),
  })
  return [page.items[0] ?? null, page.next]
}

async function searchFrame(
  { root, log }: Keeping,
  row: ArchivedTranscript,
  words: readonly string[],
  afterLine: number,
  limit: number,
): Promise<{ hits: ArchivedHit[]; isWhole: boolean; line: number }> {
  const hits: ArchivedHit[] = []
  let line = 0
  try {
    for await (const text of readFrame(join(root, row.place, row.sweep, row.file), row)) {
      for (const each of text.split('\n')) {
        if (each === '') continue
        line += 1
        if (line <= afterLine) continue
        const hit = hitIn(each, words)
        if (hit === null) continue
        const { id, sessionKey, transcript, place } = row
        hits.push({ id, sessionKey, transcript, place, line, ...hit })
        if (hits.length >= limit) return { hits, isWhole: false, line }
      }
    }
  } catch (error) {
    // The others can still be searched, and restoring this one says what is wrong. Lines come before their checksum does.
    if (!isHoldfastError(error, 'ARCHIVE_DAMAGED') && !(error instanceof SyntaxError)) throw error
    log.warn({ id: row.id }, 'an archive that is damaged was not searched to its end')
  }
  return { hits, isWhole: true, line }
}

function hitIn(json: string, words: readonly string[]): Pick<ArchivedHit, 'atMs' | 'text'> | null {
  const record = JSON.parse(json) as { atMs?: unknown; body?: unknown; bodyText?: string }
  const text = writtenIn(record.bodyText === undefined ? record.body : JSON.parse(record.bodyText))
  const folded = text?.toLowerCase() ?? ''
  if (text === null || !words.every((word) => folded.includes(word))) return null
  const from = Math.max(0, folded.indexOf(words[0] ?? '') - excerptLength / 4)
  return {
    atMs: typeof record.atMs === 'number' ? record.atMs : null,
    text: text.slice(from, from + excerptLength),
  }
}

/** Of an entry: its message, or the text of its event. Other records hold nothing that people wrote. */
function writtenIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null
  if ('role' in body) return textOf(body as Message)
  return 'text' in body && typeof body.text === 'string' ? body.text : null
}
