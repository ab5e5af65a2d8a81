import type { SessionKind } from '../../../model/keys.ts'
import { factsOfKey } from '../../home/keys.ts'
import type { EntryFacts } from '../facts.ts'
import type { Member, ParsedObject } from '../text/scan.ts'
import { isFileId, placeOfTranscript } from './transcript.ts'

/** What decisions need of an entry; the first of `transcripts` that is there is its transcript, else the first. */
export interface EntryRead {
  facts: EntryFacts
  transcripts: string[]
}

/** A minute ahead is now: clocks differ, and a gateway writes while we look. Unit: ms. */
const aheadMs = 60_000

/** Longer values are none that we look for; they are not made objects of. Unit: bytes. */
const valueBytesMax = 64 * 1024

/**
 * `member` says where it stands, `fields` the members of its value; null where that is no object. `waiting`: keys of sessions that wait for a
 * child or are one; null where that cannot be told, so that every child may be one.
 */
export function readEntry(
  bytes: Buffer,
  member: Member,
  fields: ParsedObject | null,
  agent: { id: string; sessionsDir: string },
  waiting: ReadonlySet<string> | null,
  nowMs: number,
): EntryRead {
  const { key } = member
  const values = new Map(fields?.members.map((field) => [field.key, field]))
  const value = (name: string): unknown => {
    const field = values.get(name)
    if (field === undefined) return undefined
    if (field.valueEnd - field.valueStart > valueBytesMax) return null
    return JSON.parse(bytes.toString('utf8', field.valueStart, field.valueEnd))
  }
  const text = (name: string): string | null => {
    const found = value(name)
    return typeof found === 'string' ? found : null
  }
  const unsafe = fields === null ? 'it is no object' : unsafeId(value('sessionId'))
  const sessionFile = text('sessionFile')
  const sessionId = unsafe === null ? idOf(text('sessionId'), sessionFile) : null
  const kind = kindOf(key, text('chatType') ?? chatTypeOf(value('origin')))
  const isWaiting = waiting === null ? kind === 'subagent' : waiting.has(key)
  const place = placeOfTranscript(agent, key, sessionId, sessionFile)
  const isElsewhere = place.names.length === 0 && place.elsewhere !== null
  return {
    facts: {
      key,
      kind,
      sessionId,
      transcript: place.names[0] ?? null,
      elsewhere: place.elsewhere,
      ...(isElsewhere ? { elsewhereName: lastOf(sessionFile ?? '') } : {}),
      unsafe,
      usedAtMs: newest([value('updatedAt'), value('lastInteractionAt'), value('startedAt'), value('endedAt')], nowMs),
      status: text('status'),
      abortedLastRun: value('abortedLastRun') === true,
      pinned: isTime(value('pinnedAt')) || value('pinned') === true,
      pending: value('pendingFinalDelivery') === true || isWaiting,
      bytes: member.valueEnd - member.valueStart,
    },
    transcripts: place.names,
  }
}

/** The last part of a path of any system. */
function lastOf(path: string): string {
  return path.trim().split(/[\\/]/).at(-1) ?? ''
}

/** As `normalizePersistedSessionEntryShape` of 2026.5 to 2026.7: entries with such an id are dropped at load. */
function unsafeId(id: unknown): string | null {
  if (id === undefined) return null
  if (typeof id !== 'string') return 'its session id is no text'
  const trimmed = id.trim()
  if (trimmed.length > 255) return 'its session id has more than 255 characters'
  return /^[A-Za-z0-9][A-Za-z0-9._:@-]*$/.test(trimmed)
    ? null
    : 'its session id holds characters that no file name may have'
}

/** An id that makes no file name is forgotten at load, unless a file is named. */
function idOf(id: string | null, sessionFile: string | null): string | null {
  const trimmed = id?.trim() ?? ''
  return isFileId(trimmed) || (trimmed !== '' && sessionFile !== null && sessionFile.trim() !== '') ? trimmed : null
}

/** A gateway protects also those that only their chat type tells to be of many people. */
function kindOf(key: string, chatType: string | null): SessionKind {
  const { kind } = factsOfKey(key)
  if (kind !== 'other' && kind !== 'direct') return kind
  const type = chatType?.toLowerCase()
  if (type === 'thread') return 'thread'
  return type === 'group' || type === 'channel' ? 'group' : kind
}

function chatTypeOf(origin: unknown): string | null {
  if (typeof origin !== 'object' || origin === null || !('chatType' in origin)) return null
  return typeof origin.chatType === 'string' ? origin.chatType : null
}

function newest(times: unknown[], nowMs: number): number {
  let found = 0
  for (const time of times) if (isTime(time) && time <= nowMs + aheadMs) found = Math.max(found, Math.min(time, nowMs))
  return found
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}
