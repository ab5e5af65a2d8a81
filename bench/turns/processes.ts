import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, get, untilReady } from './client.ts'

export interface Running {
  port: number
  stop(): Promise<void>
}

const programs = {
  model: fileURLToPath(new URL('./instant-model.ts', import.meta.url)),
  proxy: fileURLToPath(new URL('./proxy.ts', import.meta.url)),
  holdfast: fileURLToPath(new URL('../../bin/holdfast.mjs', import.meta.url)),
}

export async function startModel(): Promise<Running> {
  const port = await freePort()
  return start([programs.model, String(port)], port, '/', null)
}

export async function startProxy(modelPort: number): Promise<Running> {
  const port = await freePort()
  return start([programs.proxy, String(port), String(modelPort)], port, '/', null)
}

/** The real program, as `npx holdfast serve` starts it. */
export async function startHoldfast(
  directory: string,
  modelPort: number,
  more: readonly string[] = [],
): Promise<Running> {
  const port = await freePort()
  mkdirSync(directory, { recursive: true })
  const model = ['--model-url', `http://127.0.0.1:${modelPort}/v1`, '--model', 'instant', ...more]
  const args = [programs.holdfast, 'serve', '--data', join(directory, 'data'), '--port', String(port), ...model]
  return start(args, port, '/readyz', join(directory, 'gateway.log'))
}

async function start(args: string[], port: number, ready: string, logPath: string | null): Promise<Running> {
  const log = logPath === null ? 'ignore' : openSync(logPath, 'a')
  const child = spawn(process.execPath, args, { stdio: ['ignore', log, log] })
  try {
    await untilReady(child, () => get(port, ready), 30_000)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return { port, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}
