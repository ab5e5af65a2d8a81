import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { holdfast } from '../cli/program.ts'
import { makePlace, type Place } from './harness/gateway.ts'
import { until } from './harness/wait.ts'

const node = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url))
const program = fileURLToPath(new URL('./programs/wedge.ts', import.meta.url))
let place: Place
let bot: ChildProcess | null = null
beforeAll(async () => {
  place = await makePlace()
})
afterEach(async () => {
  if (bot === null || bot.exitCode !== null || bot.signalCode !== null) return
  bot.kill('SIGKILL')
  await once(bot, 'exit')
})
afterAll(() => place[Symbol.asyncDispose]())

/** It stands still until `free` is called. */
function start() {
  const child = spawn(node, [program, place.data, freeing()], { stdio: ['ignore', 'pipe', 'pipe'] })
  bot = child
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { pid: child.pid as number, said, ended }
}

const freeing = () => join(place.path, 'free')
const free = () => writeFileSync(freeing(), '')
const wedgedFile = () => join(place.data, 'wedged.json')
const command = (...argv: string[]) => holdfast([...argv, '--data', place.data], { cwd: place.path })

it('a wedged event loop is told of while it stands still, by its thread and by commands beside it, and no longer afterwards', async () => {
  const { pid, said, ended } = start()
  await until('the thread has told', () => said.stderr.includes('the event loop is wedged'))
  const line = JSON.parse(said.stderr.split('\n').find((each) => each.includes('is wedged')) ?? '')
  expect(line).toMatchObject({ level: 50, pid, turns: 1, running: [{ sessionKey: 'agent:main:alice', lane: 'main' }] })
  expect(said.stderr, 'what a runner notes is not for the log').not.toContain('computes')

  await until('the file is there', () => existsSync(wedgedFile()))
  expect(statSync(wedgedFile()).mode & 0o777).toBe(0o600)
  const [why, lanes, status] = await Promise.all([command('why', 'alice'), command('lanes'), command('status')])
  for (const { code, stdout } of [why, lanes, status]) {
    expect(code).toBe(0)
    expect(stdout).toContain(`The event loop of process ${pid} has stood still since `)
    expect(stdout).toContain(`agent:main:alice, turn ${line.running[0].turnId}, lane main: computes`)
  }
  expect(why.stdout).toContain('agent:main:alice  open')
  expect(JSON.parse((await command('why', 'alice', '--json')).stdout).wedged.process.pid).toBe(pid)

  free()
  expect(await ended).toBe(0)
  expect(said.stderr).toContain('the event loop goes round again')
  expect(said.stderr.match(/is wedged/g)).toHaveLength(1)
  expect(said.stdout, 'the turn is not blamed').toContain('{"reply":1,"events":["loop.wedged","loop.recovered"]}')
  expect(existsSync(wedgedFile())).toBe(false)
  expect((await command('status')).stdout).not.toContain('stood still')
})

it('what a process that has ended left behind is not believed', async () => {
  rmSync(freeing())
  const { said, pid } = start()
  await until('the thread has told', () => said.stderr.includes('the event loop is wedged'))
  await until('the file is there', () => existsSync(wedgedFile()))
  expect((await command('lanes')).stdout).toContain(`process ${pid} has stood still`)
  bot?.kill('SIGKILL')
  await once(bot as ChildProcess, 'exit')
  expect(existsSync(wedgedFile())).toBe(true)
  expect((await command('lanes')).stdout).not.toContain('stood still')
  writeFileSync(wedgedFile(), '{ half a')
  expect(await command('status')).toMatchObject({ code: 0, stdout: expect.not.stringContaining('stood still') })
  free()
  expect(await start().ended).toBe(0)
  expect(existsSync(wedgedFile())).toBe(false)
})
