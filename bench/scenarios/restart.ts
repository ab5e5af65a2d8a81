import type { Bench, Scenario } from '../bench.ts'
import { median } from '../measure.ts'
import { atMost, type Figure, type Section } from '../report.ts'
import { buildStores, type Restart, restart } from '../restarts.ts'
import { closeConnections } from '../turns/client.ts'
import { startModel } from '../turns/processes.ts'

export const restartScenario: Scenario = {
  name: 'restart',
  question: 'Does a start with much left unfinished answer later, or take more memory?',
  run,
}

async function run(bench: Bench): Promise<Section[]> {
  const [sessions, interrupted] = bench.quick ? [2_000, 200] : [10_000, 1_000]
  bench.progress(`restart: ${sessions.toLocaleString('en-US')} sessions`)
  const stores = await buildStores(bench.directory('restart'), sessions, interrupted)
  const model = await startModel()
  const calm: Restart[] = []
  const busy: Restart[] = []
  try {
    for (let round = 0; round < (bench.quick ? 3 : 5); round += 1) {
      const order = [
        { into: calm, from: stores.calm },
        { into: busy, from: stores.interrupted },
      ]
      for (const { into, from } of round % 2 === 0 ? order : order.toReversed()) {
        const made = await restart(from, bench.directory('restarted'), model.port)
        into.push(made)
        await made.stop()
      }
    }
  } finally {
    closeConnections()
    await model.stop()
  }
  const ratio = (of: (made: Restart) => number) => median(busy.map(of)) / median(calm.map(of))
  const count = interrupted.toLocaleString('en-US')
  return [
    {
      title: `a start on ${sessions.toLocaleString('en-US')} sessions, from the start of the process`,
      rows: [
        { name: 'nothing unfinished', role: 'baseline', figures: figuresOf(calm) },
        { name: `holdfast, ${count} interrupted turns`, role: 'holdfast', figures: figuresOf(busy) },
      ],
      targets: [
        atMost(
          'first answer, interrupted beside calm',
          ratio(({ firstAnswerMs }) => firstAnswerMs),
          1.15,
        ),
        atMost(
          'memory at the first answer',
          ratio(({ residentBytes }) => residentBytes),
          1.15,
        ),
        atMost('longest commit', Math.max(...busy.map(({ commitsWithinMs }) => commitsWithinMs)), 50, 'ms'),
      ],
      notes: ['longest commit: the bucket of its histogram'],
    },
  ]
}

function figuresOf(made: readonly Restart[]): Figure[] {
  const of = (read: (one: Restart) => number) => median(made.map(read))
  return [
    { label: 'first answer', value: of(({ firstAnswerMs }) => firstAnswerMs), unit: 'ms' },
    { label: 'slowest of the next 20', value: of(({ slowestNextMs }) => slowestNextMs), unit: 'ms' },
    { label: 'all ended', value: of(({ allEndedMs }) => allEndedMs), unit: 'ms' },
    { label: 'memory', value: of(({ residentBytes }) => residentBytes), unit: 'bytes' },
    { label: 'highest', value: of(({ peakBytes }) => peakBytes), unit: 'bytes' },
  ]
}
