import type { Clock } from '../../host/clock.ts'
import { beginRun } from '../changes/begin.ts'
import type { StepReport } from '../changes/run.ts'
import type { Taking } from '../changes/take.ts'
import type { Home } from '../home/home.ts'
import { clearable } from '../locks/clear.ts'
import type { JudgedLock } from '../locks/verdict.ts'

export interface ClearedLocks {
  steps: StepReport[]
  /** Absolute; null: nothing was changed. */
  manifest: string | null
}

/**
 * Locks that are proven to be stale are in the archive and out of the way; all others stay. One that has gone by itself is no step.
 * `command`: who does it, for the manifest. @throws HoldfastError as `Run.hold`
 */
export async function clearLocks(
  home: Home,
  locks: readonly (JudgedLock & { key?: string | null })[],
  how: { command: string; dryRun: boolean },
  clock: Clock,
): Promise<ClearedLocks> {
  const items = locks.flatMap((lock): Taking[] => {
    const target = clearable(lock)
    if (target === null) return []
    return [{ judged: target.judged, note: { kind: 'clear-lock', because: target.because, key: lock.key ?? null } }]
  })
  if (how.dryRun) return { steps: items.map((item) => reportOf(item, false, null)), manifest: null }
  const steps: StepReport[] = []
  await using run = beginRun(home, how.command, { clock })
  for await (const { outcome, ...item } of run.archiveMany(items)) {
    if (outcome.done || outcome.left !== 'missing')
      steps.push(reportOf(item, outcome.done, outcome.done ? null : outcome.because))
  }
  return { steps, manifest: run.manifest }
}

function reportOf({ judged, note }: Taking, done: boolean, left: string | null): StepReport {
  return { ...note, path: judged.path, bytes: Number(judged.identity.bytes), done, left }
}
