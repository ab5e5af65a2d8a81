import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Holdfast } from '../../engine/holdfast.ts'
import type { CompactionOutcome, Telemetry } from '../../engine/telemetry.ts'
import type { Clock } from '../../host/clock.ts'
import { type LoopDelay, watchLoopDelay } from '../../host/loop-delay.ts'
import { laneNames } from '../../model/lanes.ts'
import { type SettledStatus, waitCauses } from '../../model/turns.ts'
import { stepNames } from '../../recovery/plan.ts'
import type { StoreVerbs } from '../../store/port.ts'
import { retentionMetrics } from './retention-metrics.ts'
import { storeGauges } from './store-gauges.ts'

/** What the engine and the store tell goes in; Prometheus text comes out. */
export interface Metrics {
  telemetry: Telemetry
  text(holdfast: Holdfast): Promise<string>
  contentType: string
  close(): void
}

/** From a durable append on a fast disk to a turn that runs into its limit. Unit: seconds. */
const diskBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
const turnBuckets = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800]
const waitBuckets = [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600]
const groupBuckets = [1, 2, 4, 8, 16, 32, 64, 128]

const settledStatuses: readonly SettledStatus[] = ['done', 'failed', 'cancelled', 'quarantined']
const outcomes: readonly CompactionOutcome[] = ['committed', 'mechanical', 'stale', 'refused', 'timeout', 'failed']
/** Their series are there before the first call; the others come with it. */
const mainVerbs: readonly (keyof StoreVerbs)[] = [
  'admitTurn',
  'claimTurn',
  'appendEntries',
  'settleTurn',
  'readContext',
  'commitSummary',
]
const perSecond = 1_000

/**
 * Labels have few values, never a session key, and every series that an alert may look at is there from the start:
 * an absent series and a series of zeros are different things to Prometheus.
 */
export function createMetrics(version: string, clock: Clock): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const turnWait = new Histogram({
    name: 'holdfast_turn_wait_seconds',
    help: 'How long claimed turns had waited, by what held them up. compaction is 0, always.',
    labelNames: ['cause', 'lane'] as const,
    buckets: waitBuckets,
    registers,
  })
  const turns = new Counter({
    name: 'holdfast_turns_total',
    help: 'Turns that have ended; code is why, empty when done.',
    labelNames: ['lane', 'status', 'code'] as const,
    registers,
  })
  const turnRan = new Histogram({
    name: 'holdfast_turn_seconds',
    help: 'How long turns ran, from their claim to their end.',
    labelNames: ['lane'] as const,
    buckets: turnBuckets,
    registers,
  })
  const append = new Histogram({
    name: 'holdfast_append_seconds',
    help: 'From the call to the durable answer of an append.',
    buckets: diskBuckets,
    registers,
  })
  const verb = new Histogram({
    name: 'holdfast_verb_seconds',
    help: 'From the call to the answer of each verb of the store.',
    labelNames: ['verb'] as const,
    buckets: diskBuckets,
    registers,
  })
  const verbFailures = new Counter({
    name: 'holdfast_verb_failures_total',
    help: 'Verbs that ended with an error.',
    labelNames: ['verb'] as const,
    registers,
  })
  const commit = new Histogram({
    name: 'holdfast_commit_seconds',
    help: 'How long one group commit took on the disk.',
    buckets: diskBuckets,
    registers,
  })
  const commitVerbs = new Histogram({
    name: 'holdfast_commit_verbs',
    help: 'How many verbs one group commit served.',
    buckets: groupBuckets,
    registers,
  })
  const compactions = new Counter({
    name: 'holdfast_compactions_total',
    help: 'Attempts to make a summary, by their end.',
    labelNames: ['outcome'] as const,
    registers,
  })
  const compactionRan = new Histogram({
    name: 'holdfast_compaction_seconds',
    help: 'How long attempts to make a summary took.',
    buckets: turnBuckets,
    registers,
  })
  const runnersFenced = new Counter({
    name: 'holdfast_runners_fenced_total',
    help: 'Runners that ignored their signal and were cut off.',
    registers,
  })
  const leftOut = new Counter({
    name: 'holdfast_context_entries_left_out_total',
    help: 'Entries that did not fit the model and were left out of a context.',
    registers,
  })
  const surrogates = new Counter({
    name: 'holdfast_surrogates_replaced_total',
    help: 'Texts in which lone surrogates were replaced.',
    registers,
  })
  const longWaits = new Counter({
    name: 'holdfast_long_waits_total',
    help: 'Turns whose wait went over the limit of their lane, by what held them up then.',
    labelNames: ['lane', 'cause'] as const,
    registers,
  })
  const stuckTurns = new Gauge({
    name: 'holdfast_stuck_turns',
    help: 'Running turns that show no sign of life.',
    registers,
  })
  const loopWedged = new Counter({
    name: 'holdfast_loop_wedged_total',
    help: 'Times that the event loop stood still for longer than `watch.wedgedAfter`.',
    registers,
  })
  const recovered = new Counter({
    name: 'holdfast_recovery_turns_total',
    help: 'Steps taken with what an earlier process left unfinished.',
    labelNames: ['step'] as const,
    registers,
  })
  const crashLoop = new Gauge({
    name: 'holdfast_crash_loop',
    help: '1 while starts follow unclean ends too closely and nothing is resumed.',
    registers,
  })
  const buildInfo = new Gauge({
    name: 'holdfast_build_info',
    help: 'Always 1.',
    labelNames: ['version', 'node'] as const,
    registers,
  })
  buildInfo.set({ version, node: process.versions.node }, 1)

  for (const lane of laneNames) {
    for (const cause of waitCauses) {
      turnWait.zero({ cause, lane })
      longWaits.inc({ lane, cause }, 0)
    }
    for (const status of settledStatuses) turns.inc({ lane, status, code: '' }, 0)
    turnRan.zero({ lane })
  }
  for (const name of mainVerbs) {
    verb.zero({ verb: name })
    verbFailures.inc({ verb: name }, 0)
  }
  for (const step of stepNames) recovered.inc({ step }, 0)
  for (const outcome of outcomes) compactions.inc({ outcome }, 0)

  const telemetry: Telemetry = {
    verb(name, ms, ok) {
      verb.observe({ verb: name }, ms / perSecond)
      if (name === 'appendEntries') append.observe(ms / perSecond)
      if (!ok) verbFailures.inc({ verb: name })
    },
    commit(ms, verbs) {
      commit.observe(ms / perSecond)
      commitVerbs.observe(verbs)
    },
    writable: (writable) => gauges.setWritable(writable),
    turnWaited: (lane, cause, ms) => turnWait.observe({ cause, lane }, ms / perSecond),
    turnSettled(lane, status, code, ranMs) {
      turns.inc({ lane, status, code: code ?? '' })
      turnRan.observe({ lane }, ranMs / perSecond)
    },
    turnFenced: () => runnersFenced.inc(),
    compaction(outcome, ms) {
      compactions.inc({ outcome })
      compactionRan.observe(ms / perSecond)
    },
    contextCut: (entriesLeftOut) => leftOut.inc(entriesLeftOut),
    surrogatesReplaced: (count) => surrogates.inc(count),
    longWait: (lane, cause) => longWaits.inc({ lane, cause }),
    turnsStuck: (count) => stuckTurns.set(count),
    loopWedged: () => loopWedged.inc(),
    recovered: (step) => recovered.inc({ step }),
    crashLoop: (on) => crashLoop.set(Number(on)),
    swept: retentionMetrics(registry),
  }

  const gauges = storeGauges(registry)
  const loopDelay = watchLoopDelay()
  const showLoopDelay = loopDelayGauge(registry, loopDelay)
  return {
    telemetry,
    contentType: registry.contentType,
    async text(holdfast) {
      showLoopDelay()
      await gauges.read(holdfast, clock.nowMs())
      return registry.metrics()
    },
    close() {
      loopDelay.stop()
      registry.clear()
    },
  }
}

/** Shows the delay since the scrape before, so that an old stall does not hide a new one. */
function loopDelayGauge(registry: Registry, loopDelay: LoopDelay): () => void {
  const gauge = new Gauge({
    name: 'holdfast_event_loop_delay_seconds',
    help: 'How late the event loop was since the last scrape; quantile 1 is the worst.',
    labelNames: ['quantile'] as const,
    registers: [registry],
  })
  return () => {
    const { p50, p99, p999, max } = loopDelay.readMs()
    for (const [quantile, ms] of [
      ['0.5', p50],
      ['0.99', p99],
      ['0.999', p999],
      ['1', max],
    ] as const) {
      gauge.set({ quantile }, ms / perSecond)
    }
    loopDelay.reset()
  }
}
