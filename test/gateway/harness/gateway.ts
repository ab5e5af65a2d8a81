import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Api } from './api.ts'
import { type ModelServer, summaryModel, turnModel } from './model.ts'

const repository = fileURLToPath(new URL('../../../', import.meta.url))
const node = join(repository, 'node_modules/node/bin/node')
const program = join(repository, 'bin/holdfast.mjs')
const startWithinMs = 30_000

/** A place for one test's data, configuration and what else it needs; gone afterwards. */
export interface Place extends AsyncDisposable {
  readonly path: string
  readonly data: string
}

export async function makePlace(): Promise<Place> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-'))
  return {
    path,
    data: join(path, 'data'),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  }
}

export interface GatewayOptions {
  place: Place
  /** None: the built-in demo model. */
  model?: ModelServer
  /** Laid over the base configuration, section by section. */
  config?: Record<string, Record<string, unknown>>
  flags?: string[]
  env?: Record<string, string>
  /** A command that starts the gateway's command line, such as strace with its arguments. */
  under?: string[]
  token?: string
}

interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface GatewayProcess extends AsyncDisposable {
  readonly pid: number
  readonly ended: Promise<Ended>
  /** What it printed. */
  output(): string
  log(): string
  /** SIGKILL, to the whole process group. */
  kill(): Promise<void>
  /** SIGTERM. */
  stop(): Promise<Ended>
}

export interface Gateway extends GatewayProcess {
  readonly url: string
  readonly api: Api
}

const alive = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of alive) killGroup(child)
})

/** Resolves when `/readyz` answers 200. Rejects with the log when the process ends before, or takes too long. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const started = await spawnGateway(options)
  let gone: Ended | null = null
  void started.ended.then((ended) => {
    gone = ended
  })
  const until = Date.now() + startWithinMs
  for (;;) {
    const url = urlIn(started.output())
    const api = new Api(url ?? '', options.token)
    if (url !== null && (await isReady(api))) return { ...started, url, api }
    if (gone !== null) throw new NotStarted(`the gateway ended: ${JSON.stringify(gone)}\n${started.log()}`)
    if (Date.now() > until) {
      await started.kill()
      throw new NotStarted(`the gateway was not ready in time\n${started.log()}`)
    }
    await sleep(15)
  }
}

/** `serve --json` prints where it is, in one line. */
function urlIn(output: string): string | null {
  if (!output.includes('\n')) return null
  const { address } = JSON.parse(output) as { address: string }
  return `http://127.0.0.1:${new URL(address).port}`
}

export class NotStarted extends Error {
  override readonly name = 'NotStarted'
}

/** Does not wait for anything but the process. */
export async function spawnGateway(options: GatewayOptions): Promise<GatewayProcess> {
  const { place, model, under = [] } = options
  const config = join(place.path, 'holdfast.json5')
  await writeFile(config, JSON.stringify(configOf(model, options.config)))
  const line = [...under, node, program, 'serve', '--json', '--config', config, '--data', place.data, '--port', '0']
  const [command, ...args] = [...line, ...(options.flags ?? [])] as [string, ...string[]]
  // A group of its own, so that a tracer and what it traces end together.
  const child = spawn(command, args, {
    cwd: place.path,
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'holdfast-compile-cache'), ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  alive.add(child)
  let output = ''
  let log = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    alive.delete(child)
    return { code, signal }
  })
  return {
    pid: child.pid as number,
    ended,
    output: () => output,
    log: () => log,
    async kill() {
      killGroup(child)
      await ended
    },
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
    async [Symbol.asyncDispose]() {
      killGroup(child)
      await ended
    },
  }
}

function configOf(model: ModelServer | undefined, over: GatewayOptions['config'] = {}): Record<string, unknown> {
  const url = model?.url
  const base: Record<string, Record<string, unknown>> = url === undefined
    ? {}
    : { model: { url, name: turnModel }, compaction: { model: { url, name: summaryModel } } }
  const sections = new Set([...Object.keys(base), ...Object.keys(over)])
  return Object.fromEntries([...sections].map((name) => [name, { ...base[name], ...over[name] }]))
}

async function isReady(api: Api): Promise<boolean> {
  try {
    const response = await api.open('GET', '/readyz', undefined, { signal: AbortSignal.timeout(2_000) })
    await response.body?.cancel()
    return response.status === 200
  } catch (error) {
    if (isConnectionError(error)) return false
    throw error
  }
}

/** What `fetch` throws when the other side is not there, goes away in the middle, or is not waited for any longer. */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof TypeError) return ['fetch failed', 'terminated'].includes(error.message)
  return error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name)
}

function killGroup(child: ChildProcess): void {
  if (!alive.has(child)) return // its number may be another process's by now
  try {
    process.kill(-(child.pid as number), 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
