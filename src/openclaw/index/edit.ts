import { HoldfastError, isHoldfastError } from '../../model/errors.ts'
import { parseIndex, parseObject } from './parse.ts'
import { parsedJson } from './text/json.ts'
import { type Layout, layOut, layoutOf } from './text/layout.ts'
import type { Member, ParsedObject } from './text/scan.ts'

/** A change of one entry. Raw JSON text of its value, so that undoing can put back every byte, and merge into an index that has moved on. */
export interface EntryChange {
  key: string
  /** null: it was not there. */
  before: string | null
  /** null: it is taken out. */
  after: string | null
}

export type Json = null | boolean | number | string | Json[] | { [field: string]: Json }

/**
 * The index with these changes: every other byte is as it was, so are order, white space and fields that nobody knows. A new entry comes
 * last, laid out like its neighbours. A change that has been made already is not made again; of a key that stands twice the last one
 * counts, as for a gateway, and taking it out takes out all.
 * @throws HoldfastError INDEX_UNREADABLE; HOME_CHANGED when an entry is neither `before` nor `after`; REQUEST_INVALID when `after` is no JSON
 */
export function applyEntryChanges(
  bytes: Buffer,
  changes: readonly EntryChange[],
  parsed: ParsedObject = parseIndex(bytes),
): Buffer {
  return Buffer.concat(changedParts(bytes, changes, parsed))
}

/** The same in parts, of which most are views of `bytes`: putting 40 MB together would hold everybody up. */
export function changedParts(bytes: Buffer, changes: readonly EntryChange[], parsed: ParsedObject): Buffer[] {
  const conflict = conflictsIn(bytes, changes, parsed)[0]
  if (conflict !== undefined)
    throw new HoldfastError('HOME_CHANGED', { because: 'an entry is not what it was', key: conflict.key })
  const edits = new Map(changes.map(({ key, after }) => [key, after === null ? null : checkedValue(after)]))
  return editMembers(bytes, parsed, edits, { lead: '\n  ', tail: '\n' })
}

/** Those changes whose entry is neither what it was before nor what it is to be: others have changed it since. */
export function conflictsIn(
  bytes: Buffer,
  changes: readonly EntryChange[],
  parsed: ParsedObject = parseIndex(bytes),
): EntryChange[] {
  const members = lastByKey(parsed)
  const now = new Map<string, string | null>()
  return changes.filter(({ key, before, after }) => {
    const member = members.get(key)
    const current = now.has(key) ? (now.get(key) as string | null) : member ? textOf(bytes, member) : null
    now.set(key, after)
    return !isSameValue(current, before) && !isSameValue(current, after)
  })
}

/** What takes these changes back, in the order in which they have to be. */
export function inverseOf(changes: readonly EntryChange[]): EntryChange[] {
  return changes.map(({ key, before, after }) => ({ key, before: after, after: before })).reverse()
}

/**
 * The raw text of one entry with single fields changed, or taken out where they are `undefined`. All else is as it was to the byte.
 * @throws HoldfastError INDEX_UNREADABLE when the text is no object
 */
export function patchEntry(raw: string, fields: Readonly<Record<string, Json | undefined>>): string {
  const bytes = Buffer.from(raw)
  const edits = new Map(
    Object.entries(fields).map(([field, value]) => [field, value === undefined ? null : JSON.stringify(value)]),
  )
  return Buffer.concat(editMembers(bytes, parseObject(bytes), edits, { lead: '\n    ', tail: '\n  ' })).toString()
}

/** The raw text of an entry's value; null when there is no such entry. Of a key that stands twice the last one counts. */
export function rawEntry(bytes: Buffer, parsed: ParsedObject, key: string): string | null {
  const member = lastByKey(parsed).get(key)
  return member === undefined ? null : textOf(bytes, member)
}

/** `edits`: the new text of a member by its key, null to take it out. `empty`: how an object that has no members yet is laid out. */
function editMembers(
  bytes: Buffer,
  parsed: ParsedObject,
  edits: ReadonlyMap<string, string | null>,
  empty: Pick<Layout, 'lead' | 'tail'>,
): Buffer[] {
  const layout = layoutOf(bytes, parsed, empty)
  const { members } = parsed
  const last = lastByKey(parsed)
  const parts: Buffer[] = []
  let kept = 0
  // what is copied and not yet put out: runs of untouched members are one slice
  let from = 0
  let to = members[0]?.keyStart ?? parsed.open + 1
  const copy = (start: number, end: number) => {
    if (start !== to) {
      parts.push(bytes.subarray(from, to))
      from = start
    }
    to = end
  }
  const write = (text: string, resumeAt: number) => {
    parts.push(bytes.subarray(from, to), Buffer.from(text))
    from = resumeAt
    to = resumeAt
  }
  members.forEach((member, index) => {
    const text = edits.get(member.key)
    if (text === null) return
    copy(kept === 0 ? member.keyStart : (members[index - 1] as Member).valueEnd, member.valueStart)
    kept++
    if (text === undefined || last.get(member.key) !== member) copy(member.valueStart, member.valueEnd)
    else write(layOut(text, layout), member.valueEnd)
  })
  for (const [key, text] of edits) {
    if (text === null || last.has(key)) continue
    const before = kept > 0 ? layout.separator : members.length === 0 ? layout.lead : ''
    write(`${before}${JSON.stringify(key)}${layout.colon}${layOut(text, layout)}`, to)
    kept++
  }
  if (kept === 0 && members.length === 0) return [bytes]
  const rest = kept === 0 ? parsed.close : (members.at(-1)?.valueEnd ?? parsed.close)
  if (kept === 0) to = parsed.open + 1
  else if (members.length === 0) write(layout.tail, rest)
  copy(rest, bytes.length)
  parts.push(bytes.subarray(from, to))
  return parts
}

const keysOf = new WeakMap<ParsedObject, ReadonlyMap<string, Member>>()

function lastByKey(parsed: ParsedObject): ReadonlyMap<string, Member> {
  const known = keysOf.get(parsed)
  if (known !== undefined) return known
  const made = new Map(parsed.members.map((member) => [member.key, member]))
  keysOf.set(parsed, made)
  return made
}

function textOf(bytes: Buffer, member: Member): string {
  return bytes.toString('utf8', member.valueStart, member.valueEnd)
}

/** Equal to the byte, or the same JSON laid out in another way, as after a gateway has written the index anew. */
function isSameValue(current: string | null, expected: string | null): boolean {
  if (current === expected || current === null || expected === null) return current === expected
  const [a, b] = [parsedJson(current), parsedJson(expected)]
  return a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b)
}

/** One value of JSON and nothing else, so that it cannot end its entry and begin another one. */
function checkedValue(text: string): string {
  const invalid = (because: string) => new HoldfastError('REQUEST_INVALID', { because: `an entry's value ${because}` })
  if (!text.isWellFormed()) throw invalid('holds half a character')
  const wrapped = Buffer.from(`{"":${text}}`)
  try {
    const { members, close } = parseObject(wrapped)
    if (members.length !== 1 || close !== wrapped.length - 1) throw invalid('is more than one')
  } catch (error) {
    if (isHoldfastError(error, 'INDEX_UNREADABLE')) throw invalid('is not JSON')
    throw error
  }
  return text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
}
