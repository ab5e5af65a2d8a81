import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { expect } from 'vitest'
import { type Holdfast, openHoldfast } from '../../src/engine/holdfast.ts'
import type { Runner, Summarizer } from '../../src/engine/runner.ts'
import type { PartialSettings } from '../../src/engine/settings.ts'
import { silentTelemetry } from '../../src/engine/telemetry.ts'
import { systemClock } from '../../src/host/clock.ts'
import { jsonLog } from '../../src/host/log.ts'
import { timedId } from '../../src/host/random.ts'
import type { AccessRules } from '../../src/http/access.ts'
import { type App, createApp, routesOf } from '../../src/http/app.ts'
import type { AppDeps } from '../../src/http/deps.ts'
import { type Listener, listen } from '../../src/http/listen.ts'
import type { Route } from '../../src/http/route.ts'
import { createMetrics } from '../../src/http/watch/metrics.ts'
import { HoldfastError, recordOf } from '../../src/model/errors.ts'
import { parseSessionKey } from '../../src/model/keys.ts'
import { type Message, textOf } from '../../src/model/messages.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import type { OpenStore } from '../../src/store/port.ts'
import type { AdmitInput } from '../../src/store/turns.ts'
import type { VerifyReport } from '../../src/store/upkeep.ts'
import { holderNamed, openLanes } from '../../src/testing/contract/scene.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into JSON of many shapes
type Json = any

/** A whole gateway on a free port: real engine, real SQLite in a directory of its own, a scripted runner. */
export interface Gateway extends AsyncDisposable {
  url: string
  port: number
  directory: string
  holdfast: Holdfast
  app: App
  routes: Route[]
  /** What was logged, a JSON line each. */
  logged: string[]
  openai: OpenAI
  /** From now on turns are answered by this runner. */
  script(run: Runner): void
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** The JSON of a request that must succeed. */
  call(method: string, path: string, body?: unknown): Promise<Json>
}

export interface GatewayOptions {
  run?: Runner
  summarize?: Summarizer
  settings?: PartialSettings
  access?: Partial<AccessRules>
  bodyMax?: number
}

export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-http-'))
  const logged: string[] = []
  const log = jsonLog('debug', { write: (line: string) => void logged.push(line) })
  const metrics = createMetrics('1.2.3', systemClock)
  let script = options.run ?? echo
  const store = sqliteStore(join(directory, 'data'))
  const holdfast = await openHoldfast({
    store,
    archives: join(directory, 'data'),
    run: (turn) => script(turn),
    settings: options.settings ?? {},
    telemetry: metrics.telemetry,
    log,
    ...(options.summarize === undefined ? {} : { summarize: options.summarize }),
  })
  const access = { host: '127.0.0.1', token: null, peerToken: null, allowedHosts: [], ...options.access }
  const deps: AppDeps = {
    holdfast,
    metrics,
    models: { name: 'scripted', aliases: ['holdfast'] },
    access,
    bodyMax: options.bodyMax ?? 1024 ** 2,
    onBusy: 'queue',
    clock: systemClock,
    log,
    version: '1.2.3',
    reload: async () => ({ applied: [], needsRestart: [] }),
  }
  const app = createApp(deps)
  const listener: Listener = await listen(app, { host: '127.0.0.1', port: 0 })
  const url = listener.url as string
  const headers: Record<string, string> = access.token === null ? {} : { authorization: `Bearer ${access.token}` }
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(url + path, { ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } })
  return {
    url,
    port: listener.port as number,
    directory,
    holdfast,
    app,
    routes: routesOf(deps),
    logged,
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: access.token ?? 'none' }),
    script(run) {
      script = run
    },
    fetch: ask,
    async call(method, path, body) {
      const response = await ask(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
      return JSON.parse(text)
    },
    async [Symbol.asyncDispose]() {
      await holdfast.close()
      await listener.close(0)
      metrics.close()
      const { checks } = await verified(store, holdfast)
      rmSync(directory, { recursive: true, force: true })
      expect(checks.filter(({ ok }) => !ok)).toEqual([])
    },
  }
}

/** What is on the disk after everything was closed. */
async function verified(open: OpenStore, { holder }: Holdfast): Promise<VerifyReport> {
  const store = await open({ holder, telemetry: silentTelemetry, atMs: Date.now() })
  try {
    return await store.verify({ quick: false, atMs: Date.now() })
  } finally {
    await store.close()
  }
}

/** Says what it was told, word by word. */
export const echo: Runner = async (turn) => {
  const answer = `You said: ${lastText(turn.messages)}`
  for (const word of answer.split(/(?<= )/)) turn.emit(word)
  return {
    messages: [{ role: 'assistant', content: answer }],
    finishReason: 'stop',
    usage: { promptTokens: 7, completionTokens: 5, totalTokens: 12 },
  }
}

export function lastText(messages: readonly Message[]): string {
  const last = messages.at(-1)
  return last === undefined ? '' : textOf(last)
}

/** A runner that waits at a gate: `open()` lets the turns that wait, and all later ones, go on. */
export function gated(run: Runner = echo) {
  const gate = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  let runs = 0
  const runner: Runner = async (turn) => {
    runs += 1
    started.resolve()
    const aborted = new Promise<never>((_, reject) => {
      turn.signal.addEventListener('abort', () => reject(turn.signal.reason as Error), { once: true })
    })
    await Promise.race([gate.promise, aborted])
    return run(turn)
  }
  return { runner, open: gate.resolve, started: started.promise, runs: () => runs }
}

/** The `data` of each event in a finished stream, with `[DONE]` as it is. */
export function dataIn(stream: string): Json[] {
  return stream
    .split('\n\n')
    .flatMap((frame) => frame.split('\n').filter((line) => line.startsWith('data: ')))
    .map((line) => line.slice('data: '.length))
    .map((data) => (data === '[DONE]' ? data : JSON.parse(data)))
}

/** Reads a body until it holds `text`; the rest is left unread. */
export async function readUntil(response: Response, text: string): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let found = ''
  while (!found.includes(text)) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`the stream ended before ${text}: ${found}`)
    found += decoder.decode(value, { stream: true })
  }
  await reader.cancel()
  return found
}

export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of source) found.push(item)
  return found
}

/** A turn that was interrupted by the end of another process; gives its id. */
export async function interrupted({ holdfast: { store } }: Gateway, session: string): Promise<string> {
  const atMs = Date.now()
  const admission: AdmitInput = {
    key: parseSessionKey(session),
    turnId: timedId(atMs),
    lane: 'main',
    source: 'test',
    dedupeKey: null,
    digest: 'x',
    messages: [{ role: 'user', content: 'hello' }],
    tokens: [2],
    request: { instructions: [], params: {}, streaming: false },
    onBusy: 'queue',
    coalesceMs: 0,
    coalesceTokensMax: 0,
    queuedMax: { session: 10, total: 10 },
    atMs,
  }
  const holder = holderNamed('another')
  await Promise.all([store.admitTurn(admission), store.claimTurn({ holder, rules: openLanes, atMs })]) // in one step
  await store.expireLeases({ holderIds: [holder.id], handedOver: false, limit: 9, atMs })
  return admission.turnId
}

export async function quarantined(gateway: Gateway, session: string): Promise<string> {
  const turnId = await interrupted(gateway, session)
  const outcome = recordOf(new HoldfastError('TURN_QUARANTINED', { attempts: 1 }))
  await gateway.holdfast.store.quarantineTurn({ turnId, outcome, atMs: Date.now() })
  return turnId
}
