import type { TranscriptHeader } from '../facts.ts'

/** What one row of a transcript says, as far as judging it needs. The rest stays bytes. */
export interface Entry {
  type: string
  /** null where it has none. */
  id: string | null
  /** undefined where the row does not speak of a parent: it goes on from the row before it. Empty where it names none properly. */
  parentId: string | null | undefined
  /** What else names entries: member and id. */
  references: Reference[]
  atMs: number | null
  message: MessageFacts | null
  /** Where the next row is to be linked by a row that only moves about (`leaf`); undefined in all others. */
  appendTo: string | null | undefined
  /** It stands beside the conversation, which does not go on from it. */
  aside: boolean
}

export interface Reference {
  member: string
  id: string
}

export interface MessageFacts {
  role: string
  /** Its text, where it is an assistant's: what a second copy is known by. */
  text: string | null
  /** `usage.totalTokens`: after tool calls the second copy has sums in the other counts, and the same in this one. */
  totalTokens: number | null
  api: string | null
  /** Why a model ended: `stop`, `toolUse`, `error`; null where it is not told. */
  stopReason: string | null
  /** A gateway wrote it in a user's place, to go on with a turn that a restart had cut off. */
  isResume: boolean
}

export type Row = { header: TranscriptHeader } | { entry: Entry }

/** Members that name entries. */
export const referring = ['firstKeptEntryId', 'targetId', 'appendParentId', 'fromId']

/** What a row of a transcript is; null where a gateway would not take it for one. `value` is parsed JSON. */
export function rowOf(value: unknown): Row | null {
  if (!isRecord(value) || typeof value.type !== 'string') return null
  if (value.type === 'session') return headerOf(value)
  const message = value.type === 'message' ? messageOf(value.message) : null
  if (value.type === 'message' && message === null) return null
  const id = nameOf(value.id)
  const references = referring.flatMap((member) => {
    const named = nameOf(value[member])
    return named === null ? [] : [{ member, id: named }]
  })
  return {
    entry: {
      type: value.type,
      id,
      parentId: parentOf(value),
      references,
      atMs: timeOf(value.timestamp) ?? (isRecord(value.message) ? timeOf(value.message.timestamp) : null),
      message,
      appendTo: value.type === 'leaf' ? nameOf(value.appendParentId ?? value.targetId) : undefined,
      aside: value.appendMode === 'side',
    },
  }
}

/** Whether it is one beyond doubt, also where it is found in the rest of a broken line. */
export function isPlainRow(row: Row | null): row is Row {
  if (row === null) return false
  return 'header' in row || (row.entry.id !== null && row.entry.parentId !== undefined && row.entry.atMs !== null)
}

function headerOf(value: Record<string, unknown>): Row | null {
  const id = nameOf(value.id)
  if (id === null) return null
  return {
    header: {
      version: typeof value.version === 'number' ? value.version : 1,
      id,
      parentSession: nameOf(value.parentSession),
      cwd: nameOf(value.cwd),
      atMs: timeOf(value.timestamp),
    },
  }
}

function messageOf(value: unknown): MessageFacts | null {
  if (!isRecord(value)) return null
  const role = nameOf(value.role)
  if (role === null) return null
  return {
    role,
    text: role === 'assistant' ? textOf(value.content) : null,
    totalTokens: isRecord(value.usage) && typeof value.usage.totalTokens === 'number' ? value.usage.totalTokens : null,
    api: nameOf(value.api),
    stopReason: nameOf(value.stopReason),
    isResume: role === 'user' && resume.test(textOf(value.content)),
  }
}

/** What releases from 2026.5 to 2026.7 write; it may stand behind what was waiting. */
const resume = /\[System\] Your previous turn was interrupted by a gateway re(?:start|load)\b/

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((block) => (isRecord(block) && typeof block.text === 'string' ? block.text : '')).join('\n')
}

function parentOf(value: Record<string, unknown>): string | null | undefined {
  if (!Object.hasOwn(value, 'parentId')) return undefined
  if (value.parentId === null) return null
  return nameOf(value.parentId) ?? ''
}

/** Ids longer than this are nobody's. */
const nameMax = 255

function nameOf(value: unknown): string | null {
  return typeof value === 'string' && value.length <= nameMax && value.trim() !== '' ? value : null
}

/** Rows say ISO 8601, messages in them milliseconds since 1970. */
function timeOf(value: unknown): number | null {
  const atMs = typeof value === 'string' ? Date.parse(value) : value
  return typeof atMs === 'number' && Number.isFinite(atMs) && atMs >= 0 ? atMs : null
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
