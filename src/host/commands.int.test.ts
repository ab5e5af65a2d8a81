import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runCommand } from './commands.ts'

const root = mkdtempSync(join(tmpdir(), 'holdfast-commands-'))
afterAll(() => rmSync(root, { recursive: true }))

const limits = { timeLimitMs: 30_000, outputBytesMax: 10_000, env: { PATH: process.env.PATH }, cwd: root }
const script = (text: string, more: Partial<typeof limits> = {}) =>
  runCommand('/bin/sh', ['-c', text], { ...limits, ...more })

describe.skipIf(process.platform === 'win32')('a program', () => {
  it('is waited for, and what it said and how it ended is told', async () => {
    expect(await script('echo out; echo err >&2; exit 3')).toEqual({
      code: 3,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
      timedOut: false,
      cut: false,
    })
  })
  it('gets its arguments as they are, with no shell in between', async () => {
    const { stdout } = await runCommand('printf', ['%s|', '$HOME', '`id`', 'a b', ''], limits)
    expect(stdout).toBe('$HOME|`id`|a b||')
  })
  it('has the environment and the directory that it was given, and nothing to read', async () => {
    const { stdout } = await script('echo "$A-$HOME-$PWD"; cat', { env: { PATH: process.env.PATH, A: '1' } as never })
    expect(stdout).toBe(`1--${root}\n`)
  })
  it('is ended with all that it has started when it takes too long', async () => {
    const found = await script('sleep 600 & echo $! > child; wait', { timeLimitMs: 300 })
    expect(found).toMatchObject({ timedOut: true, signal: 'SIGTERM' })
    const child = Number(readFileSync(join(root, 'child'), 'utf8'))
    await expect.poll(() => isRunning(child)).toBe(false)
  })
  it('is killed when it does not end when asked', async () => {
    const found = await script('trap "" TERM; while :; do sleep 1; done', { timeLimitMs: 200 })
    expect(found).toMatchObject({ timedOut: true, signal: 'SIGKILL' })
  })
  it('may leave a daemon behind, which is neither waited for nor ended', async () => {
    const { stdout, timedOut } = await script('sleep 600 & echo $!')
    const daemon = Number(stdout)
    expect(timedOut).toBe(false)
    expect(isRunning(daemon)).toBe(true)
    process.kill(daemon)
  })
  it('may say more than is kept, and is not held up by it', async () => {
    const found = await script('head -c 5000000 /dev/zero | tr "\\0" x', { outputBytesMax: 10 })
    expect(found).toMatchObject({ code: 0, stdout: 'xxxxxxxxxx', cut: true })
  })
  it('that is not there or may not be run is an error with a name', async () => {
    writeFileSync(join(root, 'plain'), '#!/bin/sh\n', { mode: 0o600 })
    await expect(runCommand('no-such-program', [], limits)).rejects.toMatchObject({ code: 'COMMAND_MISSING' })
    await expect(runCommand(join(root, 'plain'), [], limits)).rejects.toMatchObject({ code: 'COMMAND_MISSING' })
    await expect(script('true', { cwd: join(root, 'nowhere') })).rejects.toMatchObject({ code: 'COMMAND_MISSING' })
  })
})

/** A process that has ended and that nobody has asked after (a zombie) does not run. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
