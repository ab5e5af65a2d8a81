import { join } from 'node:path'
import type { Clock } from '../../../host/clock.ts'
import { isHoldfastError } from '../../../model/errors.ts'
import { takeWriterLock } from '../../files/own/writer-lock.ts'
import { shelfOf } from '../desk.ts'
import { folderOf, listBundles, listRuns, removeBundle, removeRun } from '../journal/folder.ts'
import { Journal, readRun } from '../journal/journal.ts'
import { framesOf, type RunState, type StepState } from '../journal/manifest.ts'
import type { StepReport } from '../run.ts'
import { settleHome } from '../settle/settle.ts'
import type { Territory } from '../territory.ts'
import { type BundleFacts, type Expiring, type ExpiryRules, planExpiry } from './expiry.ts'

interface RunFacts {
  run: string
  bundles: BundleFacts[]
  lastAtMs: number
}

/**
 * What has expired is deleted for good, told in each manifest before and after; a run of which nothing is kept goes with its manifest
 * when that is old enough. Runs that are unfinished or cannot be read stay. `dryRun`: the same, only told.
 * @throws HoldfastError HOME_BUSY, HOME_UNSAFE, HOME_UNREADABLE, HOME_READ_ONLY, STORE_*
 */
export async function expireArchives(
  home: Territory,
  rules: ExpiryRules,
  { clock, dryRun }: { clock: Clock; dryRun: boolean },
): Promise<StepReport[]> {
  if ((await listRuns(home.dir)).length === 0) return []
  using _ = dryRun ? null : takeWriterLock(home.dir)
  const nowMs = clock.nowMs()
  if (!dryRun) await settleHome(home, nowMs)
  const runs = await runFactsOf(home.dir)
  const plan = planExpiry(
    runs.flatMap(({ bundles }) => bundles),
    rules,
    nowMs,
  )
  const reports = plan.map((each) => reportOf(home.dir, each, !dryRun))
  for (const facts of runs) {
    const going = plan.filter(({ bundle }) => bundle.run === facts.run)
    const isOver = going.length === facts.bundles.length && isOld(facts, rules, nowMs)
    if (!dryRun && (going.length > 0 || isOver)) await expireRun(home.dir, facts.run, going, isOver, nowMs)
  }
  return reports
}

function isOld({ lastAtMs }: RunFacts, { archiveMs }: ExpiryRules, nowMs: number): boolean {
  return archiveMs !== null && lastAtMs <= nowMs && nowMs - lastAtMs > archiveMs
}

async function expireRun(
  home: string,
  run: string,
  going: readonly Expiring[],
  isOver: boolean,
  atMs: number,
): Promise<void> {
  {
    const { journal } = await Journal.resume(home, run)
    await using open = journal
    await open.append(
      ...going.map(({ bundle, because }) => ({ type: 'expire' as const, file: bundle.file, atMs, because })),
    )
    for (const { bundle } of going) removeBundle(home, run, bundle.file)
    await open.report(...going.map(({ bundle }) => ({ type: 'expired' as const, file: bundle.file, atMs })))
    await open.settled(atMs)
  }
  if (isOver) await removeRun(home, run)
}

function reportOf(home: string, { bundle, because }: Expiring, done: boolean): StepReport {
  const path = join(folderOf(home, bundle.run), bundle.file)
  return { kind: 'expire-archive', path, key: null, because, bytes: bundle.bytes, done, left: null }
}

async function runFactsOf(home: string): Promise<RunFacts[]> {
  const found: RunFacts[] = []
  for (const run of await listRuns(home)) {
    try {
      const { state } = await readRun(home, run)
      if (state.settled) found.push(await factsOf(home, run, state))
    } catch (error) {
      if (!isHoldfastError(error, 'MANIFEST_INVALID') && !isHoldfastError(error, 'ARCHIVE_NOT_FOUND')) throw error
    }
  }
  return found
}

async function factsOf(home: string, run: string, state: RunState): Promise<RunFacts> {
  const inBundle = new Map<string, StepState[]>()
  for (const step of state.steps.values())
    for (const { file } of framesOf(step)) {
      const others = inBundle.get(file)
      if (others === undefined) inBundle.set(file, [step])
      else others.push(step)
    }
  const bundles: BundleFacts[] = []
  for (const { name: file, bytes } of await listBundles(home, run)) {
    const steps = inBundle.get(file) ?? []
    const atMs = steps.reduce((newest, { told }) => Math.max(newest, told.atMs), state.atMs)
    bundles.push({ run, file, atMs, bytes, shelf: shelfOfBundle(steps) })
  }
  return { run, bundles, lastAtMs: state.lastAtMs }
}

/** A bundle is on the shelf of the most precious thing in it; what no line of the manifest names may be anything. */
function shelfOfBundle(steps: readonly StepState[]): BundleFacts['shelf'] {
  if (steps.length === 0) return 'said'
  const kept = steps.filter(({ state }) => state === 'done')
  if (kept.length === 0) return 'undone'
  return kept.some(({ told }) => shelfOf(told) === 'said') ? 'said' : 'errand'
}
