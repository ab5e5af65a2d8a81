import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { openHoldfast } from '../../src/engine/holdfast.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import type { Bench, Scenario } from '../bench.ts'
import { median } from '../measure.ts'
import { SqliteOnMainThread } from '../peers/sqlite-main-thread.ts'
import { atMost, type Row, type Section } from '../report.ts'
import { benchKey, entryOf, openStored, Writer } from '../stored.ts'
import { bodyBytes } from './append.ts'

const sessions = 64
/** 16 appends every 8 ms are 2,000 a second. */
const burst = { appends: 16, everyMs: 8 }

export const eventLoop: Scenario = {
  name: 'event-loop',
  question: 'How long does storage keep the process from doing anything else?',
  run,
}

interface Delay {
  p50Ms: number
  p99Ms: number
  p999Ms: number
  maxMs: number
  /** Of whatever the subject does; null when idle. */
  perSecond: number | null
}

async function run(bench: Bench): Promise<Section[]> {
  const directory = bench.directory('event-loop')
  const durationMs = bench.quick ? 1_500 : 5_000
  const opened = await openStored(join(directory, 'store'))
  const writers: Writer[] = []
  for (let number = 0; number < sessions; number += 1) writers.push(await Writer.start(opened, number))
  const sqlite = new SqliteOnMainThread(join(directory, 'main-thread.sqlite'), sessions)
  const heads = new Array<number>(sessions).fill(0)
  const holdfast = await openHoldfast({
    store: sqliteStore(join(directory, 'busy')),
    run: async (turn) => {
      await turn.append([{ role: 'assistant', content: 'x'.repeat(bodyBytes) }])
      turn.emit('An answer.')
      return 'An answer.'
    },
  })

  const subjects: { name: string; load: (untilMs: number) => Promise<number | null> }[] = [
    { name: 'idle', load: idle },
    {
      name: 'holdfast, 2,000 appends/s offered',
      load: (untilMs) => offer(untilMs, (session) => (writers[session] as Writer).append([entryOf(bodyBytes)])),
    },
    {
      name: 'node:sqlite on the main thread, 2,000 appends/s offered',
      load: (untilMs) =>
        offer(untilMs, async (session) => {
          const entry = entryOf(bodyBytes)
          sqlite.append(session, heads[session] as number, entry.id, entry)
          heads[session] = (heads[session] as number) + 1
        }),
    },
    {
      name: 'holdfast, 64 sessions that run turn after turn',
      load: (untilMs) =>
        busy(untilMs, async (session) => {
          const { turn } = await holdfast.submit({ key: benchKey(session), messages: 'A message.' })
          await holdfast.settled(turn.id)
        }),
    },
  ]
  const seen = new Map<string, Delay[]>(subjects.map(({ name }) => [name, []]))
  for (let round = 0; round < (bench.quick ? 2 : 3); round += 1) {
    for (const { name, load } of subjects) seen.get(name)?.push(await watch(durationMs, load))
  }
  await holdfast.close()
  await opened.store.close()
  sqlite.close()

  const together = new Map([...seen].map(([name, delays]) => [name, medianOf(delays)]))
  const of = (name: string) => together.get(name) as Delay
  const excess = (name: string, field: 'p999Ms' | 'maxMs') => of(name)[field] - of('idle')[field]
  const offered = 'holdfast, 2,000 appends/s offered'
  return [
    {
      title: 'event-loop delay of the process (includes 1 ms of the timer that measures it)',
      rows: [...together].map(([name, delay]): Row => rowOf(name, delay)),
      targets: [
        atMost('2,000 appends/s: p99.9 over idle', excess(offered, 'p999Ms'), 3, 'ms'),
        atMost('2,000 appends/s: longest over idle', excess(offered, 'maxMs'), 10, 'ms'),
      ],
      notes: ['64 sessions: client, engine and runner share this loop; the figure is their work too'],
    },
  ]
}

function rowOf(name: string, delay: Delay): Row {
  const rate = delay.perSecond === null ? [] : [{ label: 'done', value: delay.perSecond, unit: 'per second' } as const]
  return {
    name,
    role: name === 'idle' ? 'baseline' : name.startsWith('holdfast') ? 'holdfast' : 'peer',
    figures: [
      { label: 'p50', value: delay.p50Ms, unit: 'ms' },
      { label: 'p99', value: delay.p99Ms, unit: 'ms' },
      { label: 'p99.9', value: delay.p999Ms, unit: 'ms' },
      { label: 'longest', value: delay.maxMs, unit: 'ms' },
      ...rate,
    ],
  }
}

async function watch(durationMs: number, load: (untilMs: number) => Promise<number | null>): Promise<Delay> {
  await sleep(200) // what the round before left behind is not this one's
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  const done = await load(performance.now() + durationMs)
  histogram.disable()
  const ms = (nanoseconds: number) => nanoseconds / 1_000_000
  return {
    p50Ms: ms(histogram.percentile(50)),
    p99Ms: ms(histogram.percentile(99)),
    p999Ms: ms(histogram.percentile(99.9)),
    maxMs: ms(histogram.max),
    perSecond: done === null ? null : (done / durationMs) * 1_000,
  }
}

function medianOf(delays: Delay[]): Delay {
  const middle = (field: 'p50Ms' | 'p99Ms' | 'p999Ms' | 'maxMs') => median(delays.map((delay) => delay[field]))
  const rates = delays.flatMap(({ perSecond }) => (perSecond === null ? [] : [perSecond]))
  return {
    p50Ms: middle('p50Ms'),
    p99Ms: middle('p99Ms'),
    p999Ms: middle('p999Ms'),
    maxMs: middle('maxMs'),
    perSecond: rates.length === 0 ? null : median(rates),
  }
}

async function idle(untilMs: number): Promise<null> {
  await sleep(untilMs - performance.now())
  return null
}

/** Each session waits for its own append before the next; a burst skips those that still wait. */
async function offer(untilMs: number, append: (session: number) => Promise<void>): Promise<number> {
  const free = Array.from({ length: sessions }, (_, session) => session)
  let done = 0
  const pending = new Set<Promise<void>>()
  while (performance.now() < untilMs) {
    for (const session of free.splice(0, burst.appends)) {
      const one = append(session).then(() => {
        done += 1
        free.push(session)
        pending.delete(one)
      })
      pending.add(one)
    }
    await sleep(burst.everyMs)
  }
  await Promise.all(pending)
  return done
}

async function busy(untilMs: number, turn: (session: number) => Promise<void>): Promise<number> {
  let done = 0
  const one = async (session: number) => {
    while (performance.now() < untilMs) {
      await turn(session)
      done += 1
    }
  }
  await Promise.all(Array.from({ length: sessions }, (_, session) => one(session)))
  return done
}
