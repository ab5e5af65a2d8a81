import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setImmediate as afterOthers, setTimeout as sleep } from 'node:timers/promises'
import { type HoldfastError, isHoldfastError } from '../../model/errors.ts'
import type { Identity } from '../files/identity.ts'
import { openInside } from '../files/open.ts'
import { openDirectory } from '../files/place.ts'
import { readSmall, type SmallFile } from '../files/text.ts'
import type { AgentHome } from '../home/home.ts'
import { waitingKeys } from './entries/children.ts'
import { type EntryRead, readEntry } from './entries/entry.ts'
import { Weights } from './entries/weights.ts'
import type { EntryFacts, IndexFacts } from './facts.ts'
import { indexBytesMax, scanIndex } from './parse.ts'
import { type Member, ObjectScanner, type ParsedObject } from './text/scan.ts'

/** An index with its bytes, for who changes it. */
export interface IndexText {
  bytes: Buffer
  parsed: ParsedObject
}

export type ReadFacts = Extract<IndexFacts, { state: 'read' }>
export type OtherFacts = Exclude<IndexFacts, { state: 'read' }>

export type IndexRead = { facts: ReadFacts; text: IndexText } | { facts: OtherFacts; text: null }

/** Read at once, before others get their turn: some 3 ms. Unit: bytes. */
const sliceBytes = 512 * 1024

/**
 * What an agent's index says. That it cannot be read is a fact and no error; it is never an empty index. One that is empty or does not
 * parse may be in the middle of being written (in place, as on Windows): a young one is read again for a while.
 */
export async function readIndex(agent: AgentHome, root: string, nowMs: number): Promise<IndexFacts> {
  return (await readIndexText(agent, root, nowMs)).facts
}

/** The same, with the bytes. */
export async function readIndexText(agent: AgentHome, root: string, nowMs: number): Promise<IndexRead> {
  const found = await readWhole(agent.indexPath, root, nowMs)
  if (found.text === null) return found
  const { identity, text } = found
  const facts = await factsOf(text, agent, root, nowMs)
  return {
    facts: { state: 'read', bytes: text.bytes.length, identity, sha256: await sha256InSlices(text.bytes), ...facts },
    text,
  }
}

export type Whole = { identity: Identity; text: IndexText } | { facts: OtherFacts; text: null }

/** As a gateway tries it. */
const attempts = 3
const patienceMs = 50
/** A writer that takes longer for one file is none. Unit: ms. */
const youngMs = 5_000

/** The bytes only, proven to be an index. */
export async function readWhole(path: string, root: string, nowMs: number): Promise<Whole> {
  for (let attempt = 1; ; attempt++) {
    let file: SmallFile | null = null
    try {
      file = await readSmall(root, path, indexBytesMax)
      if (file === null) return { facts: { state: 'absent' }, text: null }
      const parsed = await inSlices(scanIndex(file.data))
      return { identity: file.identity, text: { bytes: file.data, parsed } }
    } catch (error) {
      if (!isHoldfastError(error) || !lookedFor.includes(error.code)) throw error
      const mayChange = error.code === 'HOME_CHANGED' || (file !== null && isYoung(file.identity, nowMs))
      if (!mayChange || attempt === attempts) return { facts: await unreadable(error, path, root), text: null }
      await sleep(patienceMs)
    }
  }
}

const lookedFor: readonly string[] = ['INDEX_UNREADABLE', 'HOME_CHANGED', 'HOME_UNSAFE', 'HOME_UNREADABLE']

async function unreadable(error: HoldfastError, path: string, root: string): Promise<OtherFacts> {
  using file = await openInside(root, path).catch(() => null)
  const because = String(error.facts.because ?? error.message)
  return { state: 'unreadable', because, bytes: file?.bytes ?? 0, identity: file?.identity ?? null }
}

function isYoung(identity: Identity, nowMs: number): boolean {
  return Math.abs(nowMs - Number(identity.mtimeNs / 1_000_000n)) < youngMs
}

async function factsOf(
  { bytes, parsed }: IndexText,
  agent: AgentHome,
  root: string,
  nowMs: number,
): Promise<Pick<ReadFacts, 'entries' | 'fields' | 'duplicates'>> {
  const waiting = await keysWaiting(root, nowMs)
  const last = new Map<string, Member>()
  const duplicates = new Set<string>()
  for (const member of parsed.members) {
    if (last.has(member.key)) duplicates.add(member.key)
    last.set(member.key, member)
  }
  const weights = new Weights()
  const read: EntryRead[] = []
  let sinceBytes = 0
  for (const member of parsed.members) {
    const fields = await fieldsOf(bytes, member)
    for (const field of fields?.members ?? []) weights.add(bytes, field)
    if (last.get(member.key) === member) read.push(readEntry(bytes, member, fields, agent, waiting, nowMs))
    sinceBytes += member.valueEnd - member.valueStart
    if (sinceBytes < sliceBytes) continue
    sinceBytes = 0
    await afterOthers()
  }
  return { entries: present(read, agent, root), fields: weights.heaviestFirst(), duplicates: [...duplicates] }
}

async function fieldsOf(bytes: Buffer, { valueStart, valueEnd }: Member): Promise<ParsedObject | null> {
  if (bytes[valueStart] !== 0x7b /* { */) return null
  return await inSlices(new ObjectScanner(bytes, valueStart, valueEnd))
}

/** Where a session's file may have one of two names, the one that is there. */
function present(read: EntryRead[], agent: AgentHome, root: string): EntryFacts[] {
  const unsure = read.filter(({ transcripts }) => transcripts.length > 1)
  if (unsure.length > 0) {
    using directory = openDirectory(root, agent.sessionsDir)
    for (const { facts, transcripts } of unsure) {
      const there = transcripts.find((name) => directory?.has(name) === true)
      if (there !== undefined) facts.transcript = there
    }
  }
  return read.map(({ facts }) => facts)
}

const runsBytesMax = 64 * 1024 ** 2

/** Children of all agents are in one file of the home. Null: it cannot be read, so nobody knows of any child whether it is waited for. */
async function keysWaiting(root: string, nowMs: number): Promise<ReadonlySet<string> | null> {
  try {
    const file = await readSmall(root, join(root, 'subagents', 'runs.json'), runsBytesMax)
    return file === null ? new Set() : waitingKeys(file.data.toString(), nowMs)
  } catch (error) {
    if (isHoldfastError(error) && lookedFor.includes(error.code)) return null
    throw error
  }
}

async function inSlices(scanner: ObjectScanner): Promise<ParsedObject> {
  while (!scanner.advance(sliceBytes)) await afterOthers()
  return scanner.finish()
}

/** In hex. */
export async function sha256InSlices(bytes: Buffer): Promise<string> {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    hash.update(bytes.subarray(at, at + sliceBytes))
    if (at + sliceBytes < bytes.length) await afterOthers()
  }
  return hash.digest('hex')
}
