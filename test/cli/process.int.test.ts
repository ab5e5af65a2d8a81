import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import {
  bin,
  forgetCompiled,
  holdfastProcess,
  killStarted,
  serveProcess,
  slowModel,
  spawnHoldfast,
} from './processes.ts'

let cwd: string

beforeEach(async () => {
  cwd = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-process-')))
})
afterAll(forgetCompiled)
afterEach(async () => {
  await killStarted()
  await rm(cwd, { recursive: true, force: true })
})

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

it('a message goes through the socket of a running gateway, which SIGTERM ends cleanly', async () => {
  const gateway = await serveProcess([], { cwd })
  const answer = await holdfastProcess(['chat'], { cwd, stdin: 'hello from a pipe\n' })
  expect(answer).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('hello from a pipe') })
  expect(await modeOf(gateway.socket)).toBe('600')
  expect(await modeOf(join(cwd, '.holdfast'))).toBe('700')
  gateway.child.kill('SIGTERM')
  expect(await gateway.ended).toMatchObject({ code: 0 })
  const list = await holdfastProcess(['sessions', 'list'], { cwd })
  expect(list).toMatchObject({ code: 0, stdout: expect.stringContaining('agent:main:main') })
})

it('a second gateway on the same data says who has it', async () => {
  const gateway = await serveProcess([], { cwd })
  const second = await holdfastProcess(['serve', '--port', '0'], { cwd })
  expect(second.code).toBe(1)
  expect(second.stderr).toContain('Another Holdfast process has this data directory open')
  expect(second.stderr).toContain(String(gateway.pid))
  expect(second.stderr).toContain(gateway.address)
  expect(second.stderr).not.toMatch(/^\s+at /m)
})

it('what a killed gateway left behind is in nobody’s way', async () => {
  const gateway = await serveProcess([], { cwd })
  await holdfastProcess(['chat', '--message', 'kept'], { cwd })
  gateway.child.kill('SIGKILL')
  await gateway.ended
  expect(await holdfastProcess(['sessions', 'show', 'main'], { cwd })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('kept'),
  })
  expect(await holdfastProcess(['sessions', 'reset', 'main'], { cwd })).toMatchObject({ code: 0 })
  const next = await serveProcess([], { cwd })
  expect(await holdfastProcess(['chat', '--message', 'again'], { cwd })).toMatchObject({ code: 0 })
  next.child.kill('SIGINT')
  expect(await next.ended).toMatchObject({ code: 0 })
})

it('a turn whose gateway was killed is told as what it is', async () => {
  const model = await slowModel(60_000)
  const gateway = await serveProcess(['--model-url', model.url, '--model', 'slow'], { cwd })
  const chat = holdfastProcess(['chat', '--message', 'never'], { cwd })
  await model.asked
  gateway.child.kill('SIGKILL')
  expect(await chat).toMatchObject({ code: 1, stderr: expect.stringContaining('The message is kept') })
  const again = `No gateway answers: once process ${gateway.pid} has ended, the next \`holdfast serve\` runs this turn again.`
  expect((await holdfastProcess(['why', 'main'], { cwd })).stdout).toContain(again)
  expect((await holdfastProcess(['status'], { cwd })).stdout).toContain('1 were running, 0 waiting')
  model.server.closeAllConnections()
  model.server.close()
})

it('a gateway that does not answer is read around, and never written around', async () => {
  const gateway = await serveProcess([], { cwd })
  await holdfastProcess(['chat', '--message', 'before'], { cwd })
  process.kill(gateway.pid, 'SIGSTOP')
  const [why, reset, chat, release] = await Promise.all([
    holdfastProcess(['why', 'main'], { cwd }),
    holdfastProcess(['sessions', 'reset', 'main'], { cwd }),
    holdfastProcess(['chat', '--message', 'during'], { cwd }),
    holdfastProcess(['leases', 'release', 'main'], { cwd }),
  ])
  expect(why).toMatchObject({ code: 0, stdout: expect.stringContaining('agent:main:main') })
  expect(why.stderr).toContain(`process ${gateway.pid} `)
  expect(why.stderr).toContain('did not answer within 3s')
  expect(release.stderr).toContain(`kill -9 ${gateway.pid}`)
  expect(release.stderr).toContain('Nothing acknowledged is lost')
  for (const refused of [reset, chat, release]) {
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain(`process ${gateway.pid} `)
    expect(refused.stderr).toContain('fix: ')
  }
  process.kill(gateway.pid, 'SIGCONT')
  expect(await holdfastProcess(['sessions', 'reset', 'main'], { cwd })).toMatchObject({ code: 0 })
})

it('a port that is taken is named, and the store is free again', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const refused = await holdfastProcess(['serve', '--port', String(port)], { cwd })
  other.close()
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toBe(
    `holdfast: Another program listens on this address: 127.0.0.1:${port}\n` +
      'fix: Choose another port with `--port`, or stop that program.\n',
  )
  expect(await holdfastProcess(['verify', '--quick'], { cwd })).toMatchObject({ code: 0 })
})

it('a bad configuration is told by key, what was found and what is allowed', async () => {
  await writeFile(join(cwd, 'holdfast.json5'), '{ turns: { timeLimit: "soon" }, sever: {} }')
  const refused = await holdfastProcess(['serve'], { cwd })
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('turns.timeLimit: found "soon", allowed is a duration such as')
  expect(refused.stderr).toContain('sever')
  expect((await holdfastProcess(['config', 'check'], { cwd })).stderr).toBe(refused.stderr)
})

it('the network is refused without a token, and open with one', async () => {
  expect(await holdfastProcess(['serve', '--host', '0.0.0.0'], { cwd })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('token'),
  })
  const env = { SECRET: 'open sesame' }
  expect(await holdfastProcess(['serve', '--token-env', 'SECRET'], { cwd })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('the environment variable SECRET is not set'),
  })
  const { address } = await serveProcess(['--token-env', 'SECRET'], { cwd, env })
  const ask = (argv: string[]) =>
    holdfastProcess(['chat', '--message', 'hi', '--gateway', `${address}/v1`, ...argv], { cwd, env })
  expect(await ask(['--token-env', 'SECRET'])).toMatchObject({ code: 0, stdout: expect.stringContaining('hi') })
  expect(await ask([])).toMatchObject({ code: 1, stderr: expect.stringContaining('A valid bearer token is required') })
})

it('a socket whose path would be too long stands elsewhere, for its owner only', async () => {
  const deep = join(cwd, 'd'.repeat(100))
  await mkdir(deep)
  const gateway = await serveProcess([], { cwd: deep })
  expect(gateway.socket.startsWith(cwd)).toBe(false)
  expect(await modeOf(join(gateway.socket, '..'))).toBe('700')
  expect(await holdfastProcess(['chat', '--message', 'deep'], { cwd: deep })).toMatchObject({ code: 0 })
  gateway.child.kill('SIGTERM')
  await gateway.ended
  await rm(join(gateway.socket, '..'), { recursive: true })
})

it('a turn that runs at SIGTERM may end', async () => {
  const model = await slowModel(800)
  const gateway = await serveProcess(['--model-url', model.url, '--model', 'slow'], { cwd })
  const chat = holdfastProcess(['chat', '--message', 'wait for it'], { cwd })
  await model.asked
  gateway.child.kill('SIGTERM')
  expect(await chat).toMatchObject({ code: 0, stdout: 'at last\n', stderr: '' })
  expect(await gateway.ended).toMatchObject({ code: 0 })
  model.server.close()
})

it('a second signal does not wait for it', async () => {
  const model = await slowModel(60_000)
  const gateway = await serveProcess(['--model-url', model.url, '--model', 'slow'], { cwd })
  const chat = holdfastProcess(['chat', '--message', 'never'], { cwd })
  await model.asked
  gateway.child.kill('SIGTERM')
  await expect.poll(async () => (await fetch(`${gateway.address}/readyz`)).status).toBe(503)
  gateway.child.kill('SIGTERM')
  expect(await gateway.ended).toMatchObject({ code: 1 })
  expect(await chat).toMatchObject({ code: 1, stderr: expect.stringContaining('The message is kept') })
  model.server.closeAllConnections()
  model.server.close()
})

it('Ctrl-C cancels the turn that a one-shot chat waits for', async () => {
  const model = await slowModel(60_000)
  await serveProcess(['--model-url', model.url, '--model', 'slow'], { cwd })
  const chat = spawnHoldfast(['chat', '--message', 'never'], { cwd })
  await model.asked
  chat.child.kill('SIGINT')
  expect(await chat.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('The turn was cancelled') })
  const turns = await holdfastProcess(['turns', 'list', '--status', 'cancelled'], { cwd })
  expect(turns.stdout).toContain('cancelled: TURN_CANCELLED')
  model.server.closeAllConnections()
  model.server.close()
})

it('a reader that has seen enough is no failure', async () => {
  await serveProcess([], { cwd })
  await holdfastProcess(['chat', '--message', 'hello'], { cwd })
  const pipe = `"${process.execPath}" "${bin}" sessions export main | head -c 1; echo "\${PIPESTATUS[0]}"`
  expect(spawnSync('bash', ['-c', pipe], { cwd, encoding: 'utf8' })).toMatchObject({ stdout: '{0\n', stderr: '' })
})

const oldNode = execFileSync('bash', ['-c', 'which -a node || true'], { encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && !path.includes('node_modules'))
  .find((path) => Number(execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).split('.')[0]) < 22)

it.runIf(oldNode !== undefined)('an old Node is told what is needed', async () => {
  await mkdir(join(cwd, 'bin'))
  await cp(bin, join(cwd, 'bin/holdfast.mjs'))
  const refused = spawnSync(oldNode as string, [join(cwd, 'bin/holdfast.mjs'), 'serve'], { encoding: 'utf8' })
  expect(refused.status).toBe(1)
  expect(refused.stderr).toMatch(/^holdfast: this is Node \d+\.\d+\.\d+; Node 22\.18 or newer is needed\.\n/)
})
