import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { stepKinds } from '../../openclaw/changes/run.ts'
import { keeperTasks } from '../../openclaw/keep/due.ts'
import type { KeeperStatus } from '../../openclaw/keep/status.ts'

const perSecond = 1_000

/** Every series is there from the start. Homes are few and named by the person who started the keeper, so they may be labels. */
export function keeperMetrics(status: () => KeeperStatus): { text(): Promise<string>; contentType: string } {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const made = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) => ({
    name: `holdfast_keeper_${name}`,
    help,
    labelNames,
    registers: [registry],
  })
  const runs = new Counter(made('runs_total', 'Runs of each task that have ended.', ['home', 'task', 'ok']))
  const steps = new Counter(made('steps_total', 'Steps that were done, by what they are.', ['home', 'kind']))
  const bytes = new Counter(made('bytes_total', 'Bytes that these steps concerned.', ['home']))
  const lastAt = new Gauge(
    made('last_run_timestamp_seconds', 'When the last run began; 0: none has.', ['home', 'task']),
  )
  const lastTook = new Gauge(made('last_run_seconds', 'How long the last run took.', ['home', 'task']))
  const left = new Gauge(
    made('steps_left', 'Steps that the last cleaning left, mostly for a start of the gateway.', ['home']),
  )
  const raised = new Gauge(made('causes', 'What lasts and was told.', ['home']))

  return {
    contentType: registry.contentType,
    text: () => {
      for (const metric of [runs, steps, bytes, raised]) metric.reset()
      const now = status()
      for (const { home, tasks, stepsDone, bytes: concerned, left: leftNow } of now.homes) {
        for (const task of keeperTasks) {
          const { runs: all, failures, lastStartedAtMs, lastMs } = tasks[task]
          runs.inc({ home, task, ok: 'true' }, all - failures)
          runs.inc({ home, task, ok: 'false' }, failures)
          lastAt.set({ home, task }, (lastStartedAtMs ?? 0) / perSecond)
          lastTook.set({ home, task }, (lastMs ?? 0) / perSecond)
        }
        for (const kind of stepKinds) steps.inc({ home, kind }, stepsDone[kind] ?? 0)
        bytes.inc({ home }, concerned)
        left.set({ home }, leftNow)
        raised.set({ home }, now.raised.filter((cause) => cause.home === home).length)
      }
      return registry.metrics()
    },
  }
}
