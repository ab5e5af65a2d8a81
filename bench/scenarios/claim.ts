import { systemClock } from '../../src/host/clock.ts'
import { timedId } from '../../src/host/random.ts'
import type { Bench, Scenario } from '../bench.ts'
import { rawWrite } from '../canaries/raw-write.ts'
import { interleave, type Measured, type Round } from '../measure.ts'
import { atMost, latencyFigures, type Section } from '../report.ts'
import { admission, admitMany, benchKey, claim, openStored } from '../stored.ts'

const turnsPerSession = 10

export const claimScenario: Scenario = {
  name: 'claim',
  question: 'Does it cost more to start a turn when many wait?',
  run,
}

async function run(bench: Bench): Promise<Section[]> {
  const sizes = bench.quick ? [10, 1_000, 10_000] : [10, 1_000, 100_000]
  const count = bench.quick ? 50 : 200
  const raw = await rawWrite(bench.directory('claim'))
  const filled = []
  for (const size of sizes) {
    bench.progress(`claim: ${size.toLocaleString('en-US')} waiting turns`)
    const opened = await openStored(bench.directory(`claim-${size}`))
    await admitMany(opened.store, size, (index) => benchKey(Math.floor(index / turnsPerSession)))
    filled.push({ name: nameOf(size), opened })
  }
  const measured = await interleave(
    [
      { name: 'write + fdatasync, 1 KB', round: () => raw.round('grow', count, 1_024) },
      ...filled.map(({ name, opened }) => ({ name, round: () => claimAndSettle(opened, count) })),
    ],
    bench.quick ? 3 : 5,
  )
  for (const { opened } of filled) await opened.store.close()

  const few = measured.get(nameOf(sizes[0] as number)) as Measured
  const many = measured.get(nameOf(sizes.at(-1) as number)) as Measured
  const limit = measured.get('write + fdatasync, 1 KB') as Measured
  return [
    {
      title: 'claim a turn: lane rules, lease, fence, attempt and its messages, in one durable step',
      rows: [...measured].map(([name, found]) => ({
        name,
        role: name.startsWith('holdfast') ? 'holdfast' : 'limit',
        figures: latencyFigures(found),
      })),
      targets: [
        atMost('most waiting beside fewest', many.medianMs / few.medianMs, 1.3),
        atMost('fewest waiting beside the limit', few.medianMs / limit.medianMs, 1.7),
      ],
      notes: [],
    },
  ]
}

const nameOf = (size: number) => `holdfast, ${size.toLocaleString('en-US')} waiting`

/** Times the claim alone; settles the turn and admits another, so that as many wait as before. */
async function claimAndSettle(opened: Awaited<ReturnType<typeof openStored>>, count: number): Promise<Round> {
  const latenciesMs: number[] = []
  for (let index = 0; index < count; index += 1) {
    const beganMs = performance.now()
    const claimed = await claim(opened)
    latenciesMs.push(performance.now() - beganMs)
    if (claimed === null) throw new Error('nothing to claim')
    const atMs = systemClock.nowMs()
    await opened.store.settleTurn({
      key: claimed.turn.sessionKey,
      turnId: claimed.turn.id,
      fence: claimed.fence,
      head: claimed.head,
      status: 'done',
      entries: [
        { id: timedId(atMs), kind: 'assistant', body: { role: 'assistant', content: 'An answer.' }, tokens: 4 },
      ],
      outcome: null,
      finishReason: 'stop',
      usage: null,
      meterRatio: null,
      atMs,
    })
    await opened.store.admitTurn(admission(claimed.turn.sessionKey))
  }
  return { latenciesMs, wallMs: latenciesMs.reduce((total, each) => total + each, 0) }
}
