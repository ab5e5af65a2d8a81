import { Gauge, type Registry } from 'prom-client'
import type { Holdfast } from '../../engine/holdfast.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { laneNames } from '../../model/lanes.ts'
import type { StoreStatistics } from '../../store/upkeep.ts'

/** What the store counts, read when somebody looks. */
export interface StoreGauges {
  setWritable(writable: boolean): void
  /** Old numbers stay when the store does not answer; `holdfast_store_writable` is 0 then. */
  read(holdfast: Holdfast, nowMs: number): Promise<void>
}

const perSecond = 1_000

export function storeGauges(registry: Registry): StoreGauges {
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name: `holdfast_${name}`, help, labelNames: [...labelNames], registers: [registry] })

  const depth = gauge('lane_depth', 'Turns that wait.', ['lane'])
  const running = gauge('lane_running', 'Turns that run.', ['lane'])
  const oldest = gauge('lane_oldest_seconds', 'How long the oldest waiting turn has waited.', ['lane'])
  const bytes = gauge('bytes', 'Bytes on the disk, by what they are for.', ['kind'])
  const sessions = gauge('sessions', 'Sessions.', ['state'])
  const entries = gauge('entries', 'Entries of all transcripts.')
  const verifiedAt = gauge('last_verify_timestamp_seconds', 'When the store was last verified; 0: never.')
  const verifiedOk = gauge('last_verify_ok', 'Whether it was found in order then.')
  const fencedWrites = gauge('fenced_writes_total', 'Writes refused because their fence was old.')
  const writable = gauge('store_writable', 'Whether the store can write.')

  for (const lane of laneNames) for (const each of [depth, running, oldest]) each.set({ lane }, 0)
  writable.set(1)

  function show(found: StoreStatistics, nowMs: number): void {
    for (const { lane, queued, running: runs, oldestQueuedAtMs } of found.lanes) {
      depth.set({ lane }, queued)
      running.set({ lane }, runs)
      oldest.set({ lane }, oldestQueuedAtMs === null ? 0 : Math.max(0, nowMs - oldestQueuedAtMs) / perSecond)
    }
    for (const [kind, count] of Object.entries(found.bytes)) bytes.set({ kind }, count)
    sessions.set({ state: 'open' }, found.sessions - found.sessionsArchived)
    sessions.set({ state: 'archived' }, found.sessionsArchived)
    entries.set(found.entries)
    verifiedAt.set((found.lastVerify?.atMs ?? 0) / perSecond)
    verifiedOk.set(found.lastVerify?.ok ? 1 : 0)
    fencedWrites.set(found.fencedWrites)
    writable.set(found.writable ? 1 : 0)
  }

  return {
    setWritable: (isWritable) => writable.set(isWritable ? 1 : 0),
    async read({ store }, nowMs) {
      try {
        show(await store.statistics(), nowMs)
      } catch (error) {
        if (!isHoldfastError(error)) throw error
        writable.set(0)
      }
    },
  }
}
