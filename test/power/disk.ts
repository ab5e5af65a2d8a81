import { dirname } from 'node:path'
import type { Call } from './trace.ts'

/**
 * A disk that may lose, tear and reorder whatever was not synced.
 *
 * The model: a write or truncation of a file is pending until an fsync of that file that began after it had returned. When
 * the power goes, each pending change may have happened or not, whatever happened before and after it, and a write may
 * have happened in part. Creating, unlinking and renaming are pending changes of the directory until that is synced; they
 * happen in their order, as journalling file systems do it. `-shm` files are not modelled: SQLite builds them anew.
 */
export interface CrashState {
  /** How the changes that happened were chosen. */
  how: string
  /** Index of the last call before the power went. */
  after: number
  /** Lines of the journal that had been told by then. */
  toldCount: number
  /** What is on the disk, by path. */
  files(): Map<string, Buffer>
}

type Change = Extract<Call, { kind: 'write' | 'truncate' }>
type NameChange = Extract<Call, { kind: 'create' | 'unlink' | 'rename' }>

interface Pending {
  index: number
  call: Change | NameChange
}

/** What is certain to be there. Values are never changed in place, so that a copy of the maps is a copy of the disk. */
interface Disk {
  names: Map<string, string>
  content: Map<string, Buffer>
  /** By file: which changes made its content, so that equal states are seen to be equal without their bytes. */
  made: Map<string, string>
}

/** How much of a change happened: a number of bytes for a write that was torn. */
type Takes = (change: Pending, place: number) => boolean | number

const sectorBytes = 512

/** Every crash state, the same one once. `random` gives numbers in [0, 1). */
export function* crashStates(calls: readonly Call[], random: () => number): Generator<CrashState> {
  let durable: Disk = { names: new Map(), content: new Map(), made: new Map() }
  let pending: Pending[] = []
  let toldCount = 0
  const seen = new Set<string>()
  for (const [after, call] of calls.entries()) {
    if (call.kind === 'told') toldCount += 1
    else if (call.kind === 'sync') [durable, pending] = sync(durable, pending, call)
    else pending.push({ index: after, call })
    for (const [how, takes] of choices(pending, random)) {
      const identity = `${toldCount} ${identityOf(durable, pending, takes)}`
      if (seen.has(identity)) continue
      seen.add(identity)
      const [before, changes] = [durable, pending.slice()]
      yield { how, after, toldCount, files: () => filesOf(apply(before, changes, takes)) }
    }
  }
}

/** The corners, the last changes each alone and each missing, the last one torn, whole files, and some by chance. */
function choices(pending: readonly Pending[], random: () => number): [string, Takes][] {
  const all: [string, Takes] = ['all', () => true]
  const last = pending.at(-1)
  if (last === undefined) return [all]
  const lastOnes = pending.slice(-8)
  const files = [...new Set(pending.map(({ call }) => fileOf(call)))]
  const prefix = Math.floor(random() * pending.length)
  const taken = pending.map(() => random() < 0.5)
  return [
    all,
    ['none', () => false],
    ...lastOnes.map((one): [string, Takes] => ['one alone', (change) => change === one]),
    ...lastOnes.map((one): [string, Takes] => ['one missing', (change) => change !== one]),
    ...[1, sectorBytes, 3 * sectorBytes].map((bytes): [string, Takes] => [
      `torn at ${bytes}`,
      (change) => (change === last && change.call.kind === 'write' ? bytes : true),
    ]),
    ...files.map((file): [string, Takes] => ['one file alone', ({ call }) => fileOf(call) === file]),
    ...files.map((file): [string, Takes] => ['one file missing', ({ call }) => fileOf(call) !== file]),
    ['the first ones', (_, place) => place < prefix],
    ['by chance', (_, place) => taken[place] as boolean],
  ]
}

const fileOf = (call: Pending['call']): string => (isNameChange(call) ? dirname(call.path) : call.file)

function isNameChange(call: Pending['call']): call is NameChange {
  return call.kind === 'create' || call.kind === 'unlink' || call.kind === 'rename'
}

function sync(durable: Disk, pending: readonly Pending[], call: { file: string; covers: number }): [Disk, Pending[]] {
  const covered = (change: Pending) => change.index < call.covers && fileOf(change.call) === call.file
  return [apply(durable, pending.filter(covered), () => true), pending.filter((change) => !covered(change))]
}

/** The disk with those of the pending changes that happened. */
function apply(disk: Disk, pending: readonly Pending[], takes: Takes): Disk {
  const after: Disk = { names: new Map(disk.names), content: new Map(disk.content), made: new Map(disk.made) }
  eachTaken(pending, takes, ({ index, call }, taken) => {
    if (isNameChange(call)) return changeName(after.names, call)
    after.content.set(call.file, changed(after.content.get(call.file) ?? Buffer.alloc(0), call, taken))
    after.made.set(call.file, addedTo(after.made.get(call.file), index, taken))
  })
  return after
}

/** As `apply`, without the bytes. */
function identityOf(disk: Disk, pending: readonly Pending[], takes: Takes): string {
  const names = new Map(disk.names)
  const made = new Map(disk.made)
  eachTaken(pending, takes, ({ index, call }, taken) => {
    if (isNameChange(call)) return changeName(names, call)
    made.set(call.file, addedTo(made.get(call.file), index, taken))
  })
  return [...names].map(([path, file]) => `${path} ${file} ${made.get(file) ?? ''}`).join('\n')
}

function eachTaken(
  pending: readonly Pending[],
  takes: Takes,
  act: (change: Pending, taken: true | number) => void,
): void {
  let namesGoOn = true
  for (const [place, change] of pending.entries()) {
    const taken = takes(change, place)
    if (isNameChange(change.call)) namesGoOn &&= taken !== false
    if (taken !== false && (namesGoOn || !isNameChange(change.call))) act(change, taken)
  }
}

/** A chain of what was done, folded to 53 bits: collisions would only skip a state. */
function addedTo(before: string | undefined, index: number, taken: true | number): string {
  let hash = Number(before ?? 7)
  for (const part of [index + 1, taken === true ? 0 : taken + 1]) hash = (hash * 1_000_003 + part) % 9_007_199_254
  return String(hash)
}

function changeName(names: Map<string, string>, call: NameChange): void {
  switch (call.kind) {
    case 'create':
      names.set(call.path, call.file)
      return
    case 'unlink':
      names.delete(call.path)
      return
    case 'rename': {
      const file = names.get(call.path)
      names.delete(call.path)
      if (file !== undefined) names.set(call.to, file)
    }
  }
}

function changed(before: Buffer, call: Change, taken: true | number): Buffer {
  if (call.kind === 'truncate') return resized(before, call.length)
  const data = taken === true ? call.data : call.data.subarray(0, taken)
  const after = Buffer.from(resized(before, Math.max(before.length, call.offset + data.length)))
  data.copy(after, call.offset)
  return after
}

function resized(before: Buffer, length: number): Buffer {
  if (before.length >= length) return before.subarray(0, length)
  return Buffer.concat([before, Buffer.alloc(length - before.length)])
}

function filesOf({ names, content }: Disk): Map<string, Buffer> {
  return new Map([...names].map(([path, file]) => [path, content.get(file) ?? Buffer.alloc(0)]))
}
