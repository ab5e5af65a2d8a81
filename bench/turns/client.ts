import type { ChildProcess } from 'node:child_process'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Answer {
  status: number
  body: string
}

const connections = new Agent({ keepAlive: true })

/** `node:http` with kept connections: the least that a client can cost. */
export function post(port: number, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return exchange(port, 'POST', path, headers, JSON.stringify(body))
}

export function get(port: number, path: string): Promise<Answer> {
  return exchange(port, 'GET', path, {}, null)
}

function exchange(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string | null,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const entity =
      body === null ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
    const asked = request(
      { host: '127.0.0.1', port, method, path, agent: connections, headers: { ...headers, ...entity } },
      (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('error', reject)
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }))
      },
    )
    asked.on('error', reject)
    asked.end(body ?? undefined)
  })
}

export function closeConnections(): void {
  connections.destroy()
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(address)))
    })
  })
}

/** Asks until the answer is 200. Rejects when the process ends or `limitMs` has passed. */
export async function untilReady(child: ChildProcess, ask: () => Promise<Answer>, limitMs: number): Promise<void> {
  const startedMs = performance.now()
  while (performance.now() - startedMs < limitMs) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the process ended before it was ready')
    try {
      if ((await ask()).status === 200) return
    } catch (error) {
      if (!isRefused(error)) throw error
    }
    await sleep(50)
  }
  throw new Error(`not ready after ${limitMs} ms`)
}

function isRefused(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ECONNREFUSED' || code === 'ECONNRESET'
}
