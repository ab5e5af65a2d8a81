import type { SessionKey } from '../../src/model/keys.ts'
import type { Bench, Scenario } from '../bench.ts'
import { rawWrite } from '../canaries/raw-write.ts'
import { interleave, type Measured, type Round } from '../measure.ts'
import { atMost, type Figure, latencyFigures, type Section } from '../report.ts'
import { admission, admitMany, answer, benchKey, claim, type Opened, openStored } from '../stored.ts'

const turnsPerSession = 10

export const claimScenario: Scenario = {
  name: 'claim',
  question: 'Does it cost more to start a turn when many wait?',
  run,
}

interface Filled {
  name: string
  waiting: number
  sources: 'one' | 'many'
  opened: Opened
  sourceOf(key: SessionKey): string
  /** Of the commits of claims, fsync included: the longest. */
  held: { isClaim: boolean; longestMs: number }
}

async function run(bench: Bench): Promise<Section[]> {
  const sizes = bench.quick ? [10, 1_000, 10_000] : [10, 1_000, 100_000]
  const count = bench.quick ? 50 : 200
  const raw = await rawWrite(bench.directory('claim'))
  const filled: Filled[] = []
  for (const sources of ['one', 'many'] as const) {
    for (const waiting of sizes) filled.push(await fill(bench, waiting, sources))
  }
  const measured = await interleave(
    [
      { name: 'write + fdatasync, 1 KB', round: () => raw.round('grow', count, 1_024) },
      ...filled.map((each) => ({ name: each.name, round: () => claimAndSettle(each, count) })),
    ],
    bench.quick ? 3 : 5,
  )
  for (const { opened } of filled) await opened.store.close()

  const medianMs = (waiting: number | undefined, sources: 'one' | 'many') => {
    const found = filled.find((each) => each.waiting === waiting && each.sources === sources) as Filled
    return (measured.get(found.name) as Measured).medianMs
  }
  const beside = (sources: 'one' | 'many') => medianMs(sizes.at(-1), sources) / medianMs(sizes[0], sources)
  const limit = measured.get('write + fdatasync, 1 KB') as Measured
  const longestMs = Math.max(...filled.map(({ held }) => held.longestMs))
  return [
    {
      title: 'claim a turn: lane rules, lease, fence, attempt and its messages, in one durable step',
      rows: [...measured].map(([name, found]) => {
        const held = filled.find((each) => each.name === name)?.held
        const longest: Figure[] =
          held === undefined ? [] : [{ label: 'writer held at most', value: held.longestMs, unit: 'ms' }]
        const role = held === undefined ? ('limit' as const) : ('holdfast' as const)
        return { name, role, figures: [...latencyFigures(found), ...longest] }
      }),
      targets: [
        atMost('most waiting beside fewest, of one source', beside('one'), 1.3),
        atMost('most waiting beside fewest, each session a source', beside('many'), 1.3),
        atMost('fewest waiting beside the limit', medianMs(sizes[0], 'one') / limit.medianMs, 1.7),
        atMost('longest that a claim held the writer, fsync included', longestMs, 50, 'ms'),
      ],
      notes: [],
    },
  ]
}

async function fill(bench: Bench, waiting: number, sources: 'one' | 'many'): Promise<Filled> {
  const sessions = Math.ceil(waiting / turnsPerSession)
  const of = sources === 'one' ? 'one source' : `${sessions.toLocaleString('en-US')} sources`
  const name = `holdfast, ${waiting.toLocaleString('en-US')} waiting, ${of}`
  bench.progress(`claim: ${name}`)
  const held = { isClaim: false, longestMs: 0 }
  const opened = await openStored(bench.directory(`claim-${waiting}`), (ms) => {
    if (held.isClaim) held.longestMs = Math.max(held.longestMs, ms)
  })
  const sourceOf = (key: SessionKey) => (sources === 'one' ? 'bench' : key)
  await admitMany(opened.store, waiting, (index) => benchKey(index % sessions), sourceOf)
  return { name, waiting, sources, opened, sourceOf, held }
}

/** Times the claim alone; settles the turn and admits another, so that as many wait as before. */
async function claimAndSettle({ opened, sourceOf, held }: Filled, count: number): Promise<Round> {
  const latenciesMs: number[] = []
  for (let index = 0; index < count; index += 1) {
    const beganMs = performance.now()
    held.isClaim = true
    const claimed = await claim(opened)
    held.isClaim = false
    latenciesMs.push(performance.now() - beganMs)
    if (claimed === null) throw new Error('nothing to claim')
    await answer(opened, claimed)
    await opened.store.admitTurn(admission(claimed.turn.sessionKey, sourceOf(claimed.turn.sessionKey)))
  }
  return { latenciesMs, wallMs: latenciesMs.reduce((total, each) => total + each, 0) }
}
