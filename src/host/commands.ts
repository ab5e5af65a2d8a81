import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { HoldfastError } from '../model/errors.ts'
import { isSystemError } from './files.ts'

/** How a program ended and what it said. Cut off at the limits that it was run with. */
export interface CommandResult {
  /** null when a signal ended it. */
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  timedOut: boolean
  /** It said more than was kept. */
  cut: boolean
}

export interface CommandLimits {
  /** After this long it is asked to end (SIGTERM), and killed two seconds later. Unit: ms. */
  timeLimitMs: number
  /** Of each of its two outputs; what is beyond is read and dropped, so that it is never left waiting. */
  outputBytesMax: number
  /** All of its environment: nothing is added. */
  env: Readonly<Record<string, string | undefined>>
  cwd: string
}

/** How programs are run, as an argument, so that a caller can be given another way. */
export type RunCommand = (file: string, args: readonly string[], limits: CommandLimits) => Promise<CommandResult>

/** The same where limits and surroundings are settled: a program and its arguments. `code` is null where it could not be started or was ended by a signal. */
export type RunWords = (words: string[]) => Promise<{ code: number | null; stdout: string; stderr: string }>

const killAfterMs = 2_000
/** What a program has started may hold its outputs open after it: a daemon does. They are listened to for this much longer. Unit: ms. */
const lingerMs = 500

/**
 * Runs a program and waits for its end; never through a shell, and with nothing on its standard input. It gets a process group of its
 * own, so that at the time limit what it has started ends with it; what it leaves behind in time is left alone.
 * @throws HoldfastError COMMAND_MISSING when there is no such program, or it may not be run
 */
export const runCommand: RunCommand = (file, args, limits) =>
  new Promise((resolve, reject) => {
    const child = spawn(file, [...args], {
      cwd: limits.cwd,
      env: limits.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
      shell: false,
    })
    const stdout = collected(child.stdout, limits.outputBytesMax)
    const stderr = collected(child.stderr, limits.outputBytesMax)
    const letGo = () => {
      child.stdout.destroy()
      child.stderr.destroy()
    }
    let timedOut = false
    const timers = [
      setTimeout(() => {
        timedOut = true
        endGroup(child, 'SIGTERM')
      }, limits.timeLimitMs),
      setTimeout(() => endGroup(child, 'SIGKILL'), limits.timeLimitMs + killAfterMs),
    ]
    child.once('error', (error) => {
      for (const timer of timers) clearTimeout(timer)
      const because = `${file} (${isSystemError(error) ? error.code : error.message})`
      reject(new HoldfastError('COMMAND_MISSING', { because }, { cause: error }))
    })
    child.once('exit', () => {
      for (const timer of timers.splice(0)) clearTimeout(timer)
      if (timedOut) endGroup(child, 'SIGKILL') // what did not follow its leader
      timers.push(setTimeout(letGo, lingerMs))
    })
    child.once('close', (code, signal) => {
      for (const timer of timers) clearTimeout(timer)
      const cut = stdout.cut() || stderr.cut()
      resolve({ code, signal, stdout: stdout.text(), stderr: stderr.text(), timedOut, cut })
    })
  })

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-child.pid, signal)
  } catch (error) {
    if (!isSystemError(error, 'ESRCH', 'EPERM')) throw error // all have ended, or what is left is another user's
  }
}

function collected(stream: Readable, bytesMax: number): { text(): string; cut(): boolean } {
  const kept: Buffer[] = []
  let bytes = 0
  let seen = 0
  stream.on('data', (chunk: Buffer) => {
    seen += chunk.length
    const part = chunk.subarray(0, bytesMax - bytes)
    bytes += part.length
    if (part.length > 0) kept.push(part)
  })
  stream.on('error', () => {}) // destroyed at the limit; what was read counts
  return { text: () => Buffer.concat(kept).toString('utf8'), cut: () => seen > bytes }
}
