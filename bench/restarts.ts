import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { admission, answer, benchKey, claim, type Opened, openStored } from './stored.ts'
import { type Answer, freePort, get, post } from './turns/client.ts'

const program = fileURLToPath(new URL('../bin/holdfast.mjs', import.meta.url))
const inFlight = 256

/** Two data directories with the same sessions: one left in peace, one in the middle of `interrupted` turns. */
export interface Stores {
  calm: string
  interrupted: string
}

/** Made through the store's own verbs; the process that ran the turns is gone when this resolves. */
export async function buildStores(directory: string, sessions: number, interrupted: number): Promise<Stores> {
  const stores = { calm: join(directory, 'calm'), interrupted: join(directory, 'interrupted') }
  const calm = await openStored(stores.calm)
  await admitAll(calm, sessions)
  await inParts(sessions, () => answerNext(calm))
  await calm.store.close()
  cpSync(stores.calm, stores.interrupted, { recursive: true })
  const left = await openStored(stores.interrupted)
  await admitAll(left, interrupted)
  await inParts(interrupted, () => claim(left))
  await left.store.close()
  return stores
}

const admitAll = ({ store }: Opened, count: number) => inParts(count, (at) => store.admitTurn(admission(benchKey(at))))

async function answerNext(opened: Opened): Promise<void> {
  const claimed = await claim(opened)
  if (claimed === null) throw new Error('nothing to claim')
  await answer(opened, claimed)
}

async function inParts(count: number, act: (at: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += inFlight) {
    const size = Math.min(inFlight, count - from)
    await Promise.all(Array.from({ length: size }, (_, at) => act(from + at)))
  }
}

export interface Restart {
  /** From the start of the process to the answer of a message that was sent as soon as somebody listened. */
  firstAnswerMs: number
  /** When that message's turn had ended, by the gateway's clock. */
  answeredAtMs: number
  /** Of the twenty messages after it, one after the other: the slowest answer. */
  slowestNextMs: number
  /** Resident memory when the first message was answered, and its highest until everything had ended. */
  residentBytes: number
  peakBytes: number
  /** From the start of the process until nothing was unfinished any more. */
  allEndedMs: number
  /** The smallest bucket of `holdfast_commit_seconds` that holds every commit: nothing held the writer longer. */
  commitsWithinMs: number
  port: number
  stop(): Promise<void>
}

/** Starts the real program on a copy of a data directory, and talks to it. */
export async function restart(from: string, into: string, modelPort: number): Promise<Restart> {
  const data = join(into, 'data')
  cpSync(from, data, { recursive: true })
  const port = await freePort()
  mkdirSync(into, { recursive: true })
  const log = openSync(join(into, 'gateway.log'), 'a')
  const model = ['--model-url', `http://127.0.0.1:${modelPort}/v1`, '--model', 'instant']
  const beganMs = performance.now()
  const child = spawn(process.execPath, [program, 'serve', '--data', data, '--port', String(port), ...model], {
    stdio: ['ignore', log, log],
  })
  const stop = () => end(child)
  try {
    const answeredAtMs = await firstAnswer(child, port)
    const firstAnswerMs = performance.now() - beganMs
    const residentBytes = memoryOf(child, 'VmRSS')
    const slowestNextMs = await slowestOf(port, 20)
    while ((await unfinished(port)) > 0) await sleep(20)
    const allEndedMs = performance.now() - beganMs
    const peakBytes = memoryOf(child, 'VmHWM')
    const commitsWithinMs = await commitBound(port)
    return {
      firstAnswerMs,
      answeredAtMs,
      slowestNextMs,
      residentBytes,
      peakBytes,
      allEndedMs,
      commitsWithinMs,
      port,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const ask = (port: number, session: string): Promise<Answer> =>
  post(port, `/v1/sessions/${session}/turns`, { text: 'Hello?', wait: true })

async function firstAnswer(child: ChildProcess, port: number): Promise<number> {
  for (;;) {
    if (child.exitCode !== null) throw new Error('the gateway ended')
    try {
      const { status, body } = await ask(port, 'newcomer')
      const { turn } = JSON.parse(body) as { turn: { status: string; settledAtMs: number } }
      if (status !== 200 || turn.status !== 'done') throw new Error(`not answered: ${status} ${body}`)
      return turn.settledAtMs
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
      await sleep(2)
    }
  }
}

async function slowestOf(port: number, messages: number): Promise<number> {
  let slowestMs = 0
  for (let at = 0; at < messages; at += 1) {
    const sentMs = performance.now()
    await ask(port, `newcomer-${at}`)
    slowestMs = Math.max(slowestMs, performance.now() - sentMs)
  }
  return slowestMs
}

async function unfinished(port: number): Promise<number> {
  const { statistics } = JSON.parse((await get(port, '/v1/status')).body) as {
    statistics: { turnsInterrupted: number; turnsQueued: number; turnsRunning: number }
  }
  return statistics.turnsInterrupted + statistics.turnsQueued + statistics.turnsRunning
}

async function commitBound(port: number): Promise<number> {
  const { body } = await get(port, '/metrics')
  const buckets = [...body.matchAll(/^holdfast_commit_seconds_bucket\{le="([^"]+)"\} (\d+)/gm)]
  const all = Math.max(...buckets.map(([, , count]) => Number(count)))
  const bound = buckets.find(([, , count]) => Number(count) === all)?.[1] ?? '+Inf'
  return bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound) * 1_000
}

/** From `/proc`, in bytes: what the kernel counts for the process. */
function memoryOf({ pid }: ChildProcess, name: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(found?.[1]) * 1_024
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}
