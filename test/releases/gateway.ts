import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { node } from '../cli/processes.ts'

/** Real releases, each installed with `npm i openclaw@VERSION --ignore-scripts` in a folder of its name. */
export function programOf(version: string): string {
  const folder = process.env.HOLDFAST_RELEASES
  const program = join(folder ?? '', version, 'node_modules/openclaw/openclaw.mjs')
  if (folder !== undefined && existsSync(program)) return program
  throw new Error(
    `These tests drive real gateways: set HOLDFAST_RELEASES to a folder in which \`npm i openclaw@${version} --ignore-scripts\` ` +
      `was run in ${version}/.`,
  )
}

export interface Gateway {
  port: number
  /** Of the process that works, not of one that started it. */
  pid: number
  /** Holds `.openclaw`. */
  home: string
  state: string
  turn(key: string, text: string): Promise<{ status: number; reply: string }>
  /** The release's own command, in its own environment. */
  cli(...args: string[]): Promise<{ code: number | null; text: string }>
  stop(signal?: NodeJS.Signals): Promise<void>
}

const token = 'release-token-not-secret'

/** Sessions go on however old they are; else these releases begin them anew each morning. */
export const withoutResets = { session: { reset: { mode: 'idle', idleMinutes: 1_000_000 } } }

const started = new Set<ChildProcess>()

/** No gateway outlives its test. */
export async function killGateways(): Promise<void> {
  for (const leader of started) await stop(leader, 'SIGKILL')
}

/** Starts a release on a home of its own; a configuration that is there gets only the port and the model changed. */
export async function startGateway(
  version: string,
  home: string,
  modelUrl: string,
  more: object = {},
  variables: NodeJS.ProcessEnv = {},
): Promise<Gateway> {
  const program = programOf(version)
  const port = await freePort()
  const state = join(home, '.openclaw')
  mkdirSync(state, { recursive: true })
  const configPath = join(state, 'openclaw.json')
  const before = existsSync(configPath) ? JSON.parse(readFileSync(configPath, 'utf8')) : defaultConfig(home)
  const config = { ...before, ...more }
  config.gateway = { ...config.gateway, port, auth: { mode: 'token', token } }
  for (const provider of Object.values(config.models.providers) as { baseUrl: string }[]) provider.baseUrl = modelUrl
  delete config.channels
  writeFileSync(configPath, `${JSON.stringify(config, null, 2)}\n`)
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    OPENCLAW_STATE_DIR: state,
    OPENCLAW_CONFIG_PATH: configPath,
    OPENCLAW_DISABLE_BONJOUR: '1',
    OPENCLAW_SKIP_UPDATE_CHECK: '1',
    OPENCLAW_TRAJECTORY: '0',
    NO_COLOR: '1',
    ...variables,
  }
  const log = openSync(join(home, 'gateway.log'), 'a')
  const leader = spawn(node, [program, 'gateway', '--port', String(port)], {
    cwd: home,
    env,
    detached: true,
    stdio: ['ignore', log, log],
  })
  started.add(leader)
  leader.once('exit', () => started.delete(leader))
  await untilReady(leader, port, home)
  return {
    port,
    pid: leader.pid as number,
    home,
    state,
    turn: (key, text) => turn(port, key, text),
    cli: (...args) => cli(program, args, env, home),
    stop: (signal = 'SIGTERM') => stop(leader, signal),
  }
}

function defaultConfig(home: string) {
  const model = { id: 'm1', name: 'm1', contextWindow: 200_000, maxTokens: 4_096 }
  return {
    gateway: { mode: 'local', bind: 'loopback', http: { endpoints: { chatCompletions: { enabled: true } } } },
    update: { checkOnStart: false },
    discovery: { mdns: { mode: 'off' } },
    browser: { enabled: false },
    models: { providers: { mock: { baseUrl: '', apiKey: 'x', api: 'openai-completions', models: [model] } } },
    agents: {
      defaults: {
        model: { primary: 'mock/m1' },
        workspace: join(home, '.openclaw/workspace'),
        heartbeat: { every: '0m' },
        maxConcurrent: 8,
      },
    },
  } as Record<string, unknown> & { models: { providers: Record<string, { baseUrl: string }> }; gateway: object }
}

async function turn(port: number, key: string, text: string): Promise<{ status: number; reply: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'x-openclaw-session-key': key,
      'x-openclaw-agent-id': key.split(':')[1] ?? 'main',
    },
    body: JSON.stringify({ model: 'openclaw', messages: [{ role: 'user', content: text }] }),
    signal: AbortSignal.timeout(180_000),
  })
  const body = (await response.json().catch(() => ({}))) as { choices?: { message: { content: string } }[] }
  return { status: response.status, reply: body.choices?.[0]?.message.content ?? JSON.stringify(body) }
}

async function cli(program: string, args: string[], env: NodeJS.ProcessEnv, cwd: string) {
  const child = spawn(node, [program, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, text }
}

async function untilReady(leader: ChildProcess, port: number, home: string): Promise<void> {
  for (const endMs = Date.now() + 180_000; Date.now() < endMs; await sleep(100)) {
    if (leader.exitCode !== null) break
    const found = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5_000) }).catch(
      () => null,
    )
    if (found !== null && (found.ok || found.status === 404)) return
  }
  await stop(leader, 'SIGKILL')
  throw new Error(`the gateway did not get ready:\n${readFileSync(join(home, 'gateway.log'), 'utf8').slice(-2_000)}`)
}

async function stop(leader: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (leader.exitCode !== null || leader.signalCode !== null || leader.pid === undefined) return
  const ended = new Promise((resolve) => leader.once('exit', resolve))
  process.kill(-leader.pid, signal)
  const late = setTimeout(() => process.kill(-(leader.pid as number), 'SIGKILL'), 40_000)
  await ended
  clearTimeout(late)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}
