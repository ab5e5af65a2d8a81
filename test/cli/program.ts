import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Outside, SignalName } from '../../src/cli/outside.ts'
import { run } from '../../src/cli/run.ts'
import { systemClock } from '../../src/host/clock.ts'

export interface Ended {
  code: number
  stdout: string
  stderr: string
}

/** The program in this process, as somebody in the folder `cwd` would start it. */
export interface Started {
  readonly ended: Promise<Ended>
  readonly stdin: PassThrough
  stdout(): string
  stderr(): string
  signal(name: SignalName): void
  /** Resolves with stdout when it contains this; the program must not have ended before. */
  says(text: string): Promise<string>
}

export interface Scene {
  cwd: string
  stdin?: string
  /** Cells of the terminal; absent: pipes. */
  terminalCells?: number
  env?: Record<string, string>
  /** Waits take so much less; 1 when absent. */
  hurry?: number
  /** What the clock shows all the time; absent: the time of the machine. */
  nowMs?: number
}

export function start(argv: readonly string[], scene: Scene): Started {
  const signals = new EventEmitter()
  const tty = scene.terminalCells === undefined ? {} : { isTTY: true, columns: scene.terminalCells }
  const stdout = Object.assign(new PassThrough(), tty)
  const stderr = Object.assign(new PassThrough(), tty)
  const stdin = Object.assign(new PassThrough(), scene.stdin === undefined ? tty : {})
  if (scene.stdin !== undefined) stdin.end(scene.stdin)
  const collected = { stdout: collect(stdout), stderr: collect(stderr) }
  const outside: Outside = {
    stdout,
    stderr,
    stdin,
    env: { NO_COLOR: '1', ...scene.env },
    cwd: scene.cwd,
    clock: {
      ...systemClock,
      nowMs: () => scene.nowMs ?? systemClock.nowMs(),
      sleep: (ms, signal) => systemClock.sleep(ms / (scene.hurry ?? 1), signal),
    },
    onSignal: (names, listener) => {
      for (const name of names) signals.on(name, listener)
      return () => {
        for (const name of names) signals.off(name, listener)
      }
    },
  }
  const ended = run(argv, outside).then((code) => ({
    code,
    stdout: collected.stdout(),
    stderr: collected.stderr(),
  }))
  return {
    ended,
    stdin,
    stdout: collected.stdout,
    stderr: collected.stderr,
    signal: (name) => signals.emit(name, name),
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (collected.stdout().includes(text)) resolve(collected.stdout())
        }
        stdout.on('data', look)
        ended.then(
          ({ code, stderr: said }) => reject(new Error(`ended with ${code} before «${text}»: ${said}`)),
          reject,
        )
        look()
      }),
  }
}

export function holdfast(argv: readonly string[], scene: Scene): Promise<Ended> {
  return start(argv, { stdin: '', ...scene }).ended
}

function collect(stream: PassThrough): () => string {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    text += chunk
  })
  return () => text
}
