import { setImmediate as soon } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { countMessage } from '../../src/compaction/meter.ts'
import { Compactor } from '../../src/engine/compact.ts'
import type { GatewayEvent } from '../../src/engine/events.ts'
import type { Summarizer, SummaryJob } from '../../src/engine/runner.ts'
import { type PartialSettings, resolveSettings } from '../../src/engine/settings.ts'
import { type CompactionOutcome, silentTelemetry } from '../../src/engine/telemetry.ts'
import { silentLog } from '../../src/host/log.ts'
import type { Message } from '../../src/model/messages.ts'
import type { OpenStore } from '../../src/store/port.ts'
import { ManualClock } from '../../src/testing/clock.ts'
import { alice, Scene } from '../../src/testing/contract/scene.ts'
import { plainStore } from '../../src/testing/plain/store.ts'

/** 1,000 tokens of room. */
export const compactSettings: PartialSettings = {
  // 1,000 tokens of room: a summary at 600, the newest 250 stay
  context: { windowTokens: 1_400, answerTokens: 400, softShare: 0.6, keepShare: 0.25 },
  compaction: { timeLimitMs: 1_000, concurrency: 2, failuresMax: 3, backoffMs: { first: 100, max: 5_000 } },
}

/** A compactor on a store in memory, in a time that stands still. */
export class Bench {
  readonly scene: Scene
  readonly clock: ManualClock
  readonly compactor: Compactor
  readonly outcomes: CompactionOutcome[] = []
  readonly events: GatewayEvent[] = []
  /** What the summariser was asked. */
  readonly jobs: SummaryJob[] = []

  private constructor(scene: Scene, summarize: Summarizer | null, more: PartialSettings) {
    this.scene = scene
    this.clock = new ManualClock(scene.nowMs)
    const watched: Summarizer | null =
      summarize === null
        ? null
        : (job) => {
            this.jobs.push(job)
            return summarize(job)
          }
    this.compactor = new Compactor({
      store: scene.store,
      clock: this.clock,
      telemetry: { ...silentTelemetry, compaction: (outcome) => this.outcomes.push(outcome) },
      settings: resolveSettings({ ...compactSettings, ...more }),
      summarize: watched,
      publish: (event) => this.events.push(event),
      log: silentLog,
    })
  }

  static async open(summarize: Summarizer | null, more: PartialSettings = {}): Promise<Bench> {
    const openStore: OpenStore = plainStore()
    const scene = await Scene.open({ openStore, backupDirectory: 'none', dispose: async () => {} })
    const bench = new Bench(scene, summarize, more)
    onTestFinished(() => bench.compactor.close())
    return bench
  }

  /** A whole turn of about 110 tokens. */
  async say(text: string, key = alice): Promise<void> {
    const { scene } = this
    const question: Message = { role: 'user', content: `${text} ${'word '.repeat(50)}` }
    const reply: Message = { role: 'assistant', content: `Re ${text} ${'word '.repeat(50)}` }
    const claim = await scene.begin(key, text, { messages: [question], tokens: [countMessage(question)] })
    const entry = scene.entry('', { body: reply, tokens: countMessage(reply) })
    await scene.settle(claim, null, { entries: [entry] })
  }

  async consider(key = alice): Promise<void> {
    this.compactor.considerSoon(await this.scene.session(key))
    await this.settled()
  }

  /** What can happen without time going on has happened. */
  async settled(): Promise<void> {
    for (let round = 0; round < 30; round += 1) await soon()
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms)
    await this.settled()
  }

  async summaries(key = alice) {
    return this.scene.store.listSummaries(key)
  }
}

export const briefly: Summarizer = async (job) =>
  `${job.entries.length} entries${job.previous === null ? '' : ', and before'}`
export const never: Summarizer = () => new Promise(() => {})
export const sayMany = async (bench: Bench, count: number, key = alice) => {
  for (let index = 0; index < count; index += 1) await bench.say(`${index}`, key)
}
