import { link, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { Api, queryOf } from './api.ts'
import { socketFetch } from './fetch.ts'
import { probeSocket } from './probe.ts'

let folder: string
let socket: string
let server: Server | null = null

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-api-'))
  socket = join(folder, 's.sock')
})
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)))
  server = null
  await rm(folder, { recursive: true })
})

async function listen(listener: RequestListener): Promise<Api> {
  server = createServer(listener)
  await new Promise<void>((resolve) => server?.listen(socket, resolve))
  return new Api({ via: 'gateway', fetch: socketFetch(socket) })
}

const answer =
  (status: number, body: string, type = 'application/json'): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': type })
    response.end(body)
  }

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

describe('a call', () => {
  it('carries method, path, query and body over the socket', async () => {
    const api = await listen(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      response.end(JSON.stringify({ method: request.method, url: request.url, body: JSON.parse(body) }))
    })
    const path = `/v1/x${queryOf({ a: 'b c', limit: 5, none: undefined })}`
    const found = await api.call('POST', path, { text: 'čau 🙂' })
    expect(found).toEqual({ method: 'POST', url: '/v1/x?a=b+c&limit=5', body: { text: 'čau 🙂' } })
  })

  it.each([
    ['SESSION_BUSY', { because: 'a turn runs' }, 'SESSION_BUSY'],
    ['context_length_exceeded', {}, 'CONTEXT_TOO_LARGE'],
    ['A_CODE_OF_TOMORROW', {}, 'INTERNAL'],
  ])('throws %s as what it is', async (code, facts, thrown) => {
    const error = { message: 'words', type: 't', code, param: null, fix: 'f', facts, retry_after_ms: 250 }
    const api = await listen(answer(409, JSON.stringify({ error })))
    await expect(api.call('GET', '/v1/x')).rejects.toMatchObject({ code: thrown })
  })

  it.each([
    [200, '<html>'],
    [404, 'Not Found'],
    [404, '{"detail":"Not Found"}'],
  ])('knows what is not a gateway: %i %s', async (status, body) => {
    const api = await listen(answer(status, body))
    await expect(api.call('GET', '/v1/x')).rejects.toMatchObject({
      code: 'GATEWAY_UNREACHABLE',
      message: expect.stringContaining('is not Holdfast'),
    })
  })

  it('says that nobody listens', async () => {
    const api = new Api({ via: 'gateway', fetch: socketFetch(socket) })
    await expect(api.call('GET', '/v1/x')).rejects.toMatchObject({ code: 'GATEWAY_UNREACHABLE' })
  })
})

describe('a stream', () => {
  const stream = 'text/event-stream'

  it('gives its events', async () => {
    const api = await listen(answer(200, ': waiting\n\nid: 1\nevent: delta\ndata: {"a":1}\n\ndata: 2\n\n', stream))
    const { events } = await api.stream('GET', '/v1/events')
    expect(await collect(events)).toEqual([
      { id: '1', event: 'delta', data: { a: 1 } },
      { id: undefined, event: undefined, data: 2 },
    ])
  })

  it('throws what came as an error', async () => {
    const error = { message: 'm', type: 't', code: 'GATEWAY_CLOSING', facts: {}, retry_after_ms: null }
    const api = await listen(answer(200, `event: error\ndata: ${JSON.stringify({ error })}\n\n`, stream))
    const { events } = await api.stream('GET', '/v1/events')
    await expect(collect(events)).rejects.toMatchObject({ code: 'GATEWAY_CLOSING' })
  })
})

describe('a probe', () => {
  const impatientClock = { ...systemClock, sleep: () => systemClock.sleep(20) }

  it('finds a gateway that answers', async () => {
    await listen(answer(200, '{}'))
    expect(await probeSocket(socket, systemClock)).toBe('answers')
  })
  it('finds nobody where nothing is', async () => expect(await probeSocket(socket, systemClock)).toBe('nobody'))
  it('finds nobody behind what an ended process left', async () => {
    await listen(answer(200, '{}'))
    const left = `${socket}.left`
    await link(socket, left)
    await new Promise((resolve) => server?.close(resolve))
    server = null
    expect(await probeSocket(left, systemClock)).toBe('nobody')
  })
  it('finds one that is silent', async () => {
    await listen(() => {})
    expect(await probeSocket(socket, impatientClock)).toBe('silent')
  })
})
