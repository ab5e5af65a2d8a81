import { join } from 'node:path'
import { systemClock } from '../../src/host/clock.ts'
import type { Store } from '../../src/store/port.ts'
import type { Bench, Scenario } from '../bench.ts'
import { rawWrite } from '../canaries/raw-write.ts'
import { interleave, type Measured, timeEach } from '../measure.ts'
import { listSessionsJson, patchSessionsJson, writeSessionsJson } from '../peers/sessions-json.ts'
import { atLeast, atMost, latencyFigures, type Section } from '../report.ts'
import { benchKey, openStored } from '../stored.ts'

export const listScenario: Scenario = {
  name: 'list-sessions',
  question: 'What does the first page of 10,000 sessions cost?',
  run: async (bench) => {
    const directory = bench.directory('list')
    const { store } = await openStored(join(directory, 'store'))
    await openMany(store, 10_000)
    const file = join(directory, 'sessions.json')
    writeSessionsJson(file, 10_000)
    const measured = await interleave(
      [
        { name: 'holdfast', round: () => timeEach(bench.quick ? 50 : 200, () => store.listSessions({ limit: 50 })) },
        { name: 'sessions.json', round: () => timeEach(bench.quick ? 3 : 10, () => listSessionsJson(file, 50)) },
      ],
      5,
    )
    await store.close()
    const holdfast = measured.get('holdfast') as Measured
    return [
      {
        title: 'list 50 of 10,000 sessions, newest activity first',
        rows: rowsOf(measured),
        targets: [atMost('median', holdfast.medianMs, 0.3, 'ms')],
        notes: [
          'target of section 5: 0.3 ms, set for a query in the same thread; this one crosses to the reader thread',
        ],
      },
    ]
  },
}

export const patchScenario: Scenario = {
  name: 'patch-session',
  question: 'What does it cost to change one row of the index?',
  run: async (bench) => {
    const small = await measurePatch(bench, 100)
    const large = await measurePatch(bench, 10_000)
    const growth = medianOf(large, 'holdfast') / medianOf(small, 'holdfast')
    return [
      sectionOf(100, small, []),
      sectionOf(10_000, large, [
        atMost('10,000 sessions beside 100', growth, 1.3),
        atMost('beside the limit', medianOf(large, 'holdfast') / medianOf(large, 'write + fdatasync, 1 KB'), 1.7),
        atLeast('sessions.json beside it', medianOf(large, 'sessions.json') / medianOf(large, 'holdfast'), 300),
      ]),
    ]
  },
}

async function measurePatch(bench: Bench, sessions: number): Promise<Map<string, Measured>> {
  const directory = bench.directory(`patch-${sessions}`)
  const { store } = await openStored(join(directory, 'store'))
  await openMany(store, sessions)
  const file = join(directory, 'sessions.json')
  writeSessionsJson(file, sessions)
  const raw = await rawWrite(directory)
  const count = bench.quick ? 50 : 200
  const few = sessions > 1_000 ? 3 : 20
  let changes = 0
  const newTitle = () => {
    changes += 1
    return `Title ${changes}`
  }
  const keyAt = (index: number) => benchKey((index * 7_919) % sessions)
  const patch = (index: number, durable: boolean) => patchSessionsJson(file, keyAt(index), newTitle(), durable)
  const measured = await interleave(
    [
      { name: 'write + fdatasync, 1 KB', round: () => raw.round('grow', count, 1_024) },
      {
        name: 'holdfast',
        round: () =>
          timeEach(count, (index) =>
            store.patchSession({ key: keyAt(index), title: newTitle(), atMs: systemClock.nowMs() }),
          ),
      },
      { name: 'sessions.json', round: () => timeEach(few, (index) => patch(index, false)) },
      { name: 'sessions.json with fsync', round: () => timeEach(few, (index) => patch(index, true)) },
    ],
    bench.quick ? 3 : 5,
  )
  await store.close()
  return measured
}

function sectionOf(sessions: number, measured: Map<string, Measured>, targets: Section['targets']): Section {
  const title = `change one session of ${sessions.toLocaleString('en-US')}`
  return { title, rows: rowsOf(measured), targets, notes: [] }
}

function rowsOf(measured: Map<string, Measured>): Section['rows'] {
  const roleOf = (name: string) => (name === 'holdfast' ? name : name.startsWith('write') ? 'limit' : 'peer')
  return [...measured].map(([name, found]) => ({ name, role: roleOf(name), figures: latencyFigures(found) }))
}

const medianOf = (measured: Map<string, Measured>, name: string): number => (measured.get(name) as Measured).medianMs

async function openMany(store: Store, count: number): Promise<void> {
  const inFlight = 256
  for (let from = 0; from < count; from += inFlight) {
    const size = Math.min(inFlight, count - from)
    await Promise.all(
      Array.from({ length: size }, (_, at) =>
        store.openSession({ key: benchKey(from + at), atMs: systemClock.nowMs() }),
      ),
    )
  }
}
