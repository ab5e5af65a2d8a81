import type { ProcessTable } from '../../host/processes.ts'
import type { JudgedLock } from './verdict.ts'

/** Long enough for a few ticks of the kernel's clock. Unit: ms. */
const measuredMs = 200

/** The same locks with how busy each holder is, measured once for all of them. Takes 200 ms where any of them is held. */
export async function withCpu(
  locks: readonly JudgedLock[],
  table: ProcessTable,
  clock: { steadyMs(): number; sleep(ms: number): Promise<void> },
): Promise<JudgedLock[]> {
  const pids = [...new Set(locks.flatMap(({ holder }) => holder?.pid ?? []))]
  if (pids.length === 0 || table.system !== 'linux') return [...locks]
  const fromMs = clock.steadyMs()
  const before = new Map(pids.map((pid) => [pid, table.again(pid)]))
  await clock.sleep(measuredMs)
  const tookMs = clock.steadyMs() - fromMs
  const shareOf = (pid: number): number | null => {
    const [from, to] = [before.get(pid) ?? null, table.again(pid)]
    if (from === null || to === null || from.startTicks !== to.startTicks || tookMs <= 0) return null
    return from.cpuMs === null || to.cpuMs === null ? null : Math.max(0, (to.cpuMs - from.cpuMs) / tookMs)
  }
  const shares = new Map(pids.map((pid) => [pid, shareOf(pid)]))
  return locks.map((lock) => {
    const { holder } = lock
    return holder === null ? lock : { ...lock, holder: { ...holder, cpuShare: shares.get(holder.pid) ?? null } }
  })
}
