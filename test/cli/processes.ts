import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Ended } from './program.ts'

export const bin = fileURLToPath(new URL('../../bin/holdfast.mjs', import.meta.url))
export const node = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url))

/** Most of a short command's time is compiling; the processes of one test file share that. */
let compiled: string | null = null

export function forgetCompiled(): void {
  if (compiled !== null) rmSync(compiled, { recursive: true, force: true })
}

const started = new Set<ChildProcess>()

interface Place {
  pid: number
  address: string
  socket: string
}

export interface Serving extends Place {
  child: ChildProcess
  ended: Promise<Ended>
}

interface Scene {
  cwd: string
  stdin?: string
  env?: Record<string, string>
  /** Another copy of the program than this checkout. */
  program?: string
}

/** The program in a process of its own. */
export function spawnHoldfast(argv: readonly string[], { cwd, stdin = '', env = {}, program = bin }: Scene) {
  compiled ??= mkdtempSync(join(tmpdir(), 'holdfast-compiled-'))
  const child = spawn(node, [program, ...argv], {
    cwd,
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compiled, ...env },
  })
  started.add(child)
  child.stdin.end(stdin)
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said.stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said.stderr += chunk
  })
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    started.delete(child)
    return { code: code ?? signal, ...said }
  })
  return { child, ended, said }
}

export function holdfastProcess(argv: readonly string[], scene: Scene): Promise<Ended> {
  return spawnHoldfast(argv, scene).ended
}

/** A gateway on a free port, once it has said where it is. */
export async function serveProcess(argv: readonly string[], scene: Scene): Promise<Serving> {
  const { child, ended, said } = spawnHoldfast(['serve', '--port', '0', '--json', ...argv], scene)
  const place = new Promise<Place>((resolve) => {
    child.stdout.on('data', () => {
      if (said.stdout.includes('\n')) resolve(JSON.parse(said.stdout))
    })
  })
  const first = await Promise.race([place, ended])
  if (!('pid' in first)) throw new Error(`serve ended with ${first.code}: ${first.stderr}`)
  return { ...first, child, ended }
}

/** Nothing that a test has started outlives it, stopped processes included. */
export async function killStarted(): Promise<void> {
  const children = [...started]
  for (const child of children) child.kill('SIGKILL')
  await Promise.all(children.map((child) => (child.exitCode === null ? once(child, 'close') : null)))
}

/** An OpenAI-compatible server that answers every request after `waitMs`; `asked` resolves at the first. */
export async function slowModel(waitMs: number): Promise<{ url: string; asked: Promise<void>; server: Server }> {
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const chunk = (delta: object, finish: string | null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'slow', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const server = createServer((request, response) => {
    request.resume()
    resolve()
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(chunk({ role: 'assistant', content: 'at last' }, null))
      response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`)
    }, waitMs).unref()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked, server }
}
