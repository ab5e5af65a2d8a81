import { isHoldfastError } from '../../../model/errors.ts'
import { readTail } from '../../files/lines.ts'
import { openInside } from '../../files/open.ts'
import { listBundles, listRuns, manifestOf, removeBundle, removeRun, trimBundle } from '../journal/folder.ts'
import { Journal } from '../journal/journal.ts'
import { framesOf, type ManifestLine, parseLine, type RunState } from '../journal/manifest.ts'
import type { Territory } from '../territory.ts'
import { settleStep } from './step.ts'

/** Enough for a last line that is `settled`. Unit: bytes. */
const tailBytes = 256

/** The first line is shorter. Unit: bytes. */
const headerBytesMax = 16 * 1024

/**
 * Runs that were killed on their way, or could not write their last lines: names, oldest first. Reads the end of each manifest only.
 * @throws HoldfastError HOME_UNSAFE, HOME_UNREADABLE
 */
export async function unsettledRuns(home: string): Promise<string[]> {
  const found: string[] = []
  for (const run of await listRuns(home)) if (!(await isSettled(home, run))) found.push(run)
  return found
}

async function isSettled(home: string, run: string): Promise<boolean> {
  using file = await openInside(home, manifestOf(home, run))
  if (file === null) return false
  const tail = await readTail(file, tailBytes)
  if (tail.at(-1) !== 0x0a) return false
  return parseLine(tail.subarray(tail.lastIndexOf(0x0a, -2) + 1))?.type === 'settled'
}

/**
 * Every step of every run has one of its two ends, and its manifest says which. Who calls it holds the writer's lock. What cannot be
 * settled now stays as it is, and can be later: a damaged manifest, a file that this user may not read, a disk without room.
 */
export async function settleHome(home: Territory, nowMs: number): Promise<void> {
  for (const run of await unsettledRuns(home.dir)) await settleRun(home, run, nowMs).catch(unlessLater)
}

async function settleRun(home: Territory, run: string, nowMs: number): Promise<void> {
  if (await removeIfNeverBegun(home.dir, run)) return
  const writtenNs = await writtenAt(home.dir, run) // before we write to it
  const { journal, state } = await Journal.resume(home.dir, run)
  await using open = journal
  let isWhole = true
  const reports: ManifestLine[] = []
  for (const step of state.steps.values()) {
    if (step.state !== 'announced' && step.state !== 'undoing') continue
    try {
      reports.push(await settleStep(home, run, step, nowMs))
    } catch (error) {
      unlessLater(error)
      isWhole = false
    }
  }
  for (const [file, is] of state.expired) {
    if (is === 'gone') continue
    removeBundle(home.dir, run, file)
    reports.push({ type: 'expired', file, atMs: nowMs })
  }
  await open.append(...reports)
  await trimBundles(home.dir, run, state, writtenNs)
  if (open.isEmpty && (await listBundles(home.dir, run)).length === 0) await open.discard()
  else if (isWhole) await open.settled(nowMs)
}

const later = ['HOME_', 'MANIFEST_INVALID', 'ARCHIVE_', 'STORE_FULL']

function unlessLater(error: unknown): void {
  if (!isHoldfastError(error) || !later.some((code) => error.code.startsWith(code))) throw error
}

/** Its process ended before the first line was whole. Bundles without a manifest are damage and stay. */
async function removeIfNeverBegun(home: string, run: string): Promise<boolean> {
  using manifest = await openInside(home, manifestOf(home, run))
  const isLong = manifest !== null && manifest.bytes > headerBytesMax
  if (isLong || (manifest !== null && (await readTail(manifest, headerBytesMax)).includes(0x0a))) return false
  if ((await listBundles(home, run)).length > 0) return false
  await removeRun(home, run)
  return true
}

async function writtenAt(home: string, run: string): Promise<bigint> {
  using manifest = await openInside(home, manifestOf(home, run))
  return manifest?.identity.mtimeNs ?? 0n
}

/**
 * What no line names was copied for a step that was never announced, if it is younger than the manifest. Where that was written later it may
 * have lost lines, by another hand than ours, and this the only copy: it stays.
 */
async function trimBundles(home: string, run: string, state: RunState, writtenNs: bigint): Promise<void> {
  const ends = new Map<string, number>()
  for (const step of state.steps.values()) {
    for (const { file, offset, length } of framesOf(step))
      ends.set(file, Math.max(ends.get(file) ?? 0, offset + length))
  }
  for (const { name, bytes, mtimeNs } of await listBundles(home, run)) {
    const end = ends.get(name)
    if (mtimeNs < writtenNs) continue
    if (end === undefined) removeBundle(home, run, name)
    else if (bytes > end) await trimBundle(home, run, name, end)
  }
}
