import { type ChildProcess, fork, spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Round } from '../measure.ts'
import { freePort, get, untilReady } from '../turns/client.ts'

/** What `npm i openclaw@… --ignore-scripts` left in `folder`; null when it is not there. */
export function findOpenClaw(folder: string | null): { folder: string; program: string; version: string } | null {
  if (folder === null) return null
  const package_ = join(folder, 'node_modules/openclaw')
  const program = join(package_, 'openclaw.mjs')
  if (!existsSync(program)) return null
  const { version } = JSON.parse(readFileSync(join(package_, 'package.json'), 'utf8')) as { version: string }
  return { folder, program, version }
}

/** Nothing of the user's own OpenClaw is seen or touched. */
function environmentIn(home: string): NodeJS.ProcessEnv {
  const state = join(home, '.openclaw')
  return {
    PATH: process.env.PATH,
    HOME: home,
    OPENCLAW_STATE_DIR: state,
    OPENCLAW_CONFIG_PATH: join(state, 'openclaw.json'),
    OPENCLAW_DISABLE_BONJOUR: '1',
    OPENCLAW_SKIP_UPDATE_CHECK: '1',
    OPENCLAW_TRAJECTORY: '0',
    NO_COLOR: '1',
  }
}

const token = 'bench-token-not-secret'

/** Its gateway on a port of its own, with the bench's model as its only one. */
export async function startOpenClawGateway(input: {
  program: string
  home: string
  modelUrl: string
}): Promise<{ port: number; headers: Record<string, string>; stop(): Promise<void> }> {
  const port = await freePort()
  const state = join(input.home, '.openclaw')
  mkdirSync(state, { recursive: true })
  const model = { id: 'instant', name: 'instant', contextWindow: 200_000, maxTokens: 4_096 }
  const config = {
    gateway: {
      mode: 'local',
      port,
      bind: 'loopback',
      auth: { mode: 'token', token },
      http: { endpoints: { chatCompletions: { enabled: true } } },
    },
    models: {
      providers: { bench: { baseUrl: input.modelUrl, apiKey: 'none', api: 'openai-completions', models: [model] } },
    },
    agents: { defaults: { model: { primary: 'bench/instant' }, workspace: join(state, 'workspace') } },
  }
  writeFileSync(join(state, 'openclaw.json'), JSON.stringify(config, null, 2))
  const log = openSync(join(input.home, 'gateway.log'), 'a')
  const gateway = spawn(process.execPath, [input.program, 'gateway', '--port', String(port)], {
    cwd: input.home,
    env: environmentIn(input.home),
    detached: true, // a group of its own: it starts further processes, and all of them are to be stopped
    stdio: ['ignore', log, log],
  })
  await untilReady(gateway, () => get(port, '/readyz'), 120_000)
  return {
    port,
    headers: { authorization: `Bearer ${token}`, 'x-openclaw-session-key': 'agent:main:channel:bench' },
    stop: () => stopGroup(gateway),
  }
}

async function stopGroup(leader: ChildProcess): Promise<void> {
  if (leader.exitCode !== null || leader.signalCode !== null || leader.pid === undefined) return
  const ended = new Promise((resolve) => leader.once('exit', resolve))
  process.kill(-leader.pid, 'SIGKILL')
  await ended
}

/** Its own append of one message, in a process of its own; `sessions` of them at once. */
export class OpenClawAppend {
  readonly #child: ChildProcess

  constructor(folder: string, home: string) {
    const program = fileURLToPath(new URL('./openclaw-append.ts', import.meta.url))
    this.#child = fork(program, [folder], { env: environmentIn(home), stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  }

  round(sessions: number, count: number, bytes: number): Promise<Round> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error('OpenClaw ended in the middle of a round'))
      this.#child.once('exit', ended)
      this.#child.once('message', (round) => {
        this.#child.off('exit', ended)
        resolve(round as Round)
      })
      this.#child.send({ sessions, count, bytes })
    })
  }

  close(): void {
    this.#child.kill('SIGKILL')
  }
}
