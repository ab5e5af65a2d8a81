import { type Holdfast, openHoldfast } from '../../src/engine/holdfast.ts'
import type { SweepReport } from '../../src/engine/upkeep/retain/report.ts'
import { systemClock } from '../../src/host/clock.ts'
import { parseSessionKey, type SessionKey } from '../../src/model/keys.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import type { Store } from '../../src/store/port.ts'
import type { Bench, Scenario } from '../bench.ts'
import { atMost, type Figure, type Section } from '../report.ts'
import { admission, openStored } from '../stored.ts'

const dayMs = 86_400_000
const inFlight = 256
/** Undoing is one commit for each transcript; of more sessions it says no more. */
const undoneMax = 10_000

export const retentionScenario: Scenario = {
  name: 'retention',
  question: 'What does it cost to take many old sessions out, and who waits for it?',
  run,
}

interface Swept {
  sessions: number
  totalMs: number
  report: SweepReport
  /** Null where it was not undone. */
  undoneMs: number | null
  /** Writes of others meanwhile, from the call to the durable answer. */
  besideMs: number[]
}

async function run(bench: Bench): Promise<Section[]> {
  const sizes = bench.quick ? [100, 1_000, 3_000] : [1_000, 10_000, 100_000]
  const swept: Swept[] = []
  const staying = setInterval(() => {}, 2 ** 30) // the clock's timers keep no process alive
  try {
    for (const size of sizes) {
      bench.progress(`retention: ${size.toLocaleString('en-US')} sessions`)
      swept.push(await sweepOf(bench.directory(`retention-${size}`), size))
    }
  } finally {
    clearInterval(staying)
  }
  const largest = swept.at(-1) as Swept
  const before = swept.at(-2) as Swept
  const scale = (found: Swept) => found.sessions * Math.log2(found.sessions)
  const growth = largest.totalMs / scale(largest) / (before.totalMs / scale(before))
  return [
    {
      title: 'a sweep that takes out all of these sessions, two entries each: copy, sync, manifest, rows, free pages',
      rows: swept.map((found) => ({
        name: `${found.sessions.toLocaleString('en-US')} sessions`,
        role: 'holdfast',
        figures: figuresOf(found),
      })),
      targets: [
        atMost('growth beside n log n, largest to the one before', growth, 1.3),
        atMost('the worst step of the largest', largest.report.worstStepMs, 50, 'ms'),
        atMost('the worst write beside the largest', Math.max(...largest.besideMs), 50, 'ms'),
      ],
      notes: [
        'a step is measured from its call to its durable answer, so it holds what waited before it, and the sync',
      ],
    },
  ]
}

function figuresOf({ sessions, totalMs, undoneMs, report, besideMs }: Swept): Figure[] {
  const sorted = [...besideMs].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return [
    { label: 'total', value: totalMs, unit: 'ms' },
    { label: 'rate', value: (sessions / totalMs) * 1_000, unit: 'per second' },
    { label: 'worst step', value: report.worstStepMs, unit: 'ms' },
    { label: 'write beside, median', value: at(0.5), unit: 'ms' },
    { label: 'p99', value: at(0.99), unit: 'ms' },
    { label: 'worst', value: sorted.at(-1) ?? 0, unit: 'ms' },
    ...(undoneMs === null ? [] : [{ label: 'undo', value: undoneMs, unit: 'ms' } satisfies Figure]),
  ]
}

async function sweepOf(directory: string, size: number): Promise<Swept> {
  const { store } = await openStored(directory)
  await fill(store, size)
  await store.close()
  await using holdfast = await openHoldfast({ store: sqliteStore(directory), run: null, archives: directory })
  const probed = parseSessionKey('main')
  await holdfast.store.openSession({ key: probed, atMs: systemClock.nowMs() })
  const stop = new AbortController()
  const beside = writeBeside(holdfast.store, probed, stop.signal)
  const startMs = systemClock.steadyMs()
  let report: SweepReport | null = null
  for await (const event of holdfast.retention.sweep({ apply: true, trustClock: true })) {
    if (event.type === 'done') report = event.report
  }
  const totalMs = systemClock.steadyMs() - startMs
  stop.abort()
  const besideMs = await beside
  if (report === null || report.sessions !== size) throw new Error(`${report?.sessions} of ${size} were taken out`)
  const undoneMs = size > undoneMax ? null : await undo(holdfast, report.sweep, size)
  return { sessions: size, totalMs, report, undoneMs, besideMs }
}

async function undo(holdfast: Holdfast, sweep: string, size: number): Promise<number> {
  const startMs = systemClock.steadyMs()
  const { restored } = await holdfast.retention.undo(sweep)
  if (restored.length !== size) throw new Error(`${restored.length} of ${size} were put back`)
  return systemClock.steadyMs() - startMs
}

/** A message that was accepted and cancelled long ago: two entries. */
async function fill(store: Store, count: number): Promise<void> {
  const nowMs = systemClock.nowMs()
  for (let from = 0; from < count; from += inFlight) {
    const size = Math.min(inFlight, count - from)
    await Promise.all(
      Array.from({ length: size }, async (_, at) => {
        const atMs = nowMs - 100 * dayMs + from + at
        const { turn } = await store.admitTurn({ ...admission(keyAt(from + at)), atMs })
        await store.cancelTurn({ turnId: turn.id, reason: 'bench', atMs })
      }),
    )
  }
}

const keyAt = (index: number): SessionKey => parseSessionKey(`agent:main:chat:direct:${index}`)

async function writeBeside(store: Store, key: SessionKey, signal: AbortSignal): Promise<number[]> {
  const tookMs: number[] = []
  while (!signal.aborted) {
    const startMs = systemClock.steadyMs()
    await store.patchSession({ key, title: `${tookMs.length}`, atMs: systemClock.nowMs() })
    tookMs.push(systemClock.steadyMs() - startMs)
    await systemClock.sleep(5)
  }
  return tookMs
}
