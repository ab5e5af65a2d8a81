import { createHash } from 'node:crypto'
import { basename, dirname } from 'node:path'
import { nameBeside, newIn, putAt } from '../files/create.ts'
import { changed } from '../files/failure.ts'
import { type Judged, sameIdentity } from '../files/identity.ts'
import { readChunks } from '../files/lines.ts'
import { readMode, setModeIfSame } from '../files/mode.ts'
import { type OpenFile, openAt, requireOurs } from '../files/open.ts'
import { type Directory, openDirectory } from '../files/place.ts'
import { replaceAs } from '../files/replace.ts'
import type { EntryChange } from '../index/edit.ts'
import { type Desk, isLocked, leftOf, recordOf, reportOf, shelfOf, subjectOf } from './desk.ts'
import type { Announcement } from './journal/manifest.ts'
import type { Left, Outcome, StepNote } from './run.ts'
import { refusalOf, rootOf } from './territory.ts'

/** What a file is to hold. What is made as it is written is made twice, with the same bytes both times. */
export type FreshContent = Uint8Array | (() => AsyncIterable<Uint8Array>)

/** `now`: the file as it is afterwards, so that it can be judged for the next step. */
export type Replaced = { done: true; bytes: number; now: Judged } | Left

const missing: Left = { done: false, left: 'missing', because: 'it is not there any more' }
const unsafe = (because: string): Left => ({ done: false, left: 'unsafe', because })

/** A file has other content; the old is in the archive. `entries`: what changes in an index. */
export async function replaceFile(
  desk: Desk,
  judged: Judged,
  content: FreshContent,
  note: StepNote,
  entries: readonly EntryChange[] | null,
): Promise<Replaced> {
  const refusal = refusalOf(desk.home, judged.path)
  if (refusal !== null) return unsafe(refusal)
  let told: Told<'replace'> | null = null
  let isInPlace = false
  try {
    const root = rootOf(desk.home, judged.path)
    const name = basename(judged.path)
    using directory = openDirectory(root, dirname(judged.path))
    using file = directory === null ? null : openAt(root, directory, name)
    if (directory === null || file === null) return missing
    requireOurs(file)
    if (!sameIdentity(judged.identity, file.identity)) throw changed(judged.path, 'it is not the file that was judged')
    if (isLocked(desk, directory, name)) return { done: false, left: 'locked', because: `${name}.lock is there` }
    const will = await digestOf(content)
    const copies = await copyOf(desk, file, note, entries)
    const fresh = nameBeside(name, 'new')
    const line = {
      type: 'replace' as const,
      ...subjectOf(desk, judged.path, note),
      was: recordOf(file),
      ...copies,
      will,
      fresh,
    }
    if (judged.sha256 !== null && judged.sha256 !== line.copy.sha256)
      throw changed(judged.path, 'it has other content than was judged')
    await desk.journal.append(line)
    told = line
    const beforeInPlace = async () => {
      await desk.journal.append({ type: 'in place', step: line.step, atMs: desk.nowMs(), copy: line.copy })
      isInPlace = true
    }
    const strict = { ...judged, sha256: line.copy.sha256 }
    await replaceAs(root, strict, checked(content, will), { freshName: fresh, attributes: null, beforeInPlace })
    const now = nowAt(root, directory, name)
    await desk.journal.report(reportOf(desk, line.step, { done: true, bytes: 0 }, recordOf(now)))
    return { done: true, bytes: file.bytes, now: { path: judged.path, identity: now.identity, sha256: will.sha256 } }
  } catch (error) {
    if (isInPlace) throw error // half-written, perhaps: what stands on disk decides, at the next run
    return await leave(desk, told, error)
  }
}

/** A file is there that was not. */
export async function createFile(desk: Desk, path: string, content: FreshContent, note: StepNote): Promise<Outcome> {
  const refusal = refusalOf(desk.home, path)
  if (refusal !== null) return unsafe(refusal)
  let told: Told<'create'> | null = null
  try {
    const root = rootOf(desk.home, path)
    const name = basename(path)
    using directory = openDirectory(root, dirname(path))
    if (directory === null) return missing
    if (directory.has(name)) return { done: false, left: 'changed', because: 'something has this name already' }
    const will = await digestOf(content)
    const line = { type: 'create' as const, ...subjectOf(desk, path, note), will, fresh: nameBeside(name, 'new') }
    await desk.journal.append(line)
    told = line
    await putAt(directory, name, checked(content, will), newIn(directory, 0o600), line.fresh)
    directory.sync()
    const outcome: Outcome = { done: true, bytes: will.bytes }
    await desk.journal.report(reportOf(desk, line.step, outcome, recordOf(nowAt(root, directory, name))))
    return outcome
  } catch (error) {
    return await leave(desk, told, error)
  }
}

/** Permission bits of a file or directory. */
export async function changeMode(desk: Desk, judged: Judged, mode: number, note: StepNote): Promise<Outcome> {
  const refusal = refusalOf(desk.home, judged.path)
  if (refusal !== null) return unsafe(refusal)
  let told: Told<'mode'> | null = null
  try {
    const root = rootOf(desk.home, judged.path)
    const found = readMode(root, judged.path)
    if (found === null) return missing
    const line = { type: 'mode' as const, ...subjectOf(desk, judged.path, note), was: found.mode, will: mode }
    await desk.journal.append(line)
    told = line
    if (!setModeIfSame(root, judged, mode)) throw changed(judged.path, 'it is gone')
    const outcome: Outcome = { done: true, bytes: Number(judged.identity.bytes) }
    await desk.journal.report(reportOf(desk, line.step, outcome, null))
    return outcome
  } catch (error) {
    return await leave(desk, told, error)
  }
}

type Told<Type extends Announcement['type']> = Extract<Announcement, { type: Type }>

async function leave(desk: Desk, told: Announcement | null, error: unknown): Promise<Left> {
  const left = leftOf(error)
  if (told !== null) await desk.journal.report(reportOf(desk, told.step, left, null))
  return left
}

async function copyOf(desk: Desk, file: OpenFile, note: StepNote, entries: readonly EntryChange[] | null) {
  const bundle = await desk.bundleFor(shelfOf(note))
  const copy = await bundle.add(readChunks(file))
  const changes = entries === null ? null : await bundle.add([Buffer.from(JSON.stringify(entries))])
  await bundle.verify(changes === null ? [copy] : [copy, changes])
  return { copy, entries: changes }
}

function nowAt(root: string, directory: Directory, name: string): OpenFile {
  using file = openAt(root, directory, name)
  if (file === null) throw changed(`${directory.path}/${name}`, 'it is gone right after it was written')
  return file
}

async function* partsOf(content: FreshContent): AsyncGenerator<Uint8Array, void, undefined> {
  if (content instanceof Uint8Array) yield content
  else yield* content()
}

interface Digest {
  bytes: number
  sha256: string
}

async function digestOf(content: FreshContent): Promise<Digest> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const part of partsOf(content)) {
    hash.update(part)
    bytes += part.length
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** The same bytes as were announced, or none of them. */
async function* checked(content: FreshContent, will: Digest): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256')
  for await (const part of partsOf(content)) {
    hash.update(part)
    yield part
  }
  if (hash.digest('hex') !== will.sha256) throw changed('what is to be written', 'it is not the same the second time')
}
