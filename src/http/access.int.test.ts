import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Gateway, startGateway } from '../../test/http/gateway.ts'
import { listen } from './listen.ts'

let gateway: Gateway
afterEach(() => gateway[Symbol.asyncDispose]())

/** `fetch` does not let a caller choose these headers. */
function ask(
  options: RequestOptions,
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ path: '/v1/sessions', ...options }, (incoming) => {
      let text = ''
      incoming.on('data', (chunk) => (text += chunk))
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

const over = (headers: Record<string, string>, path = '/v1/sessions') =>
  ask({ host: '127.0.0.1', port: gateway.port, headers, path })

describe('over the network', () => {
  it('a foreign Host or Origin is refused, on every path', async () => {
    gateway = await startGateway({ access: { token: 'secret' } })
    for (const path of ['/healthz', '/v1/sessions', '/nowhere']) {
      expect((await over({ host: 'evil.example', authorization: 'Bearer secret' }, path)).status).toBe(403)
    }
    const host = `localhost:${gateway.port}`
    const authorization = 'Bearer secret'
    expect((await over({ host, authorization, origin: 'https://evil.example' })).status).toBe(403)
    expect((await over({ host, authorization, origin: `http://${host}` })).status).toBe(200)
  })

  it('everything but /healthz needs the token when there is one', async () => {
    gateway = await startGateway({ access: { token: 'secret' } })
    const open = gateway.routes.filter((route) => route.open).map(({ path }) => path)
    expect(open).toEqual(['/healthz'])
    for (const { method, path } of gateway.routes) {
      const response = await fetch(gateway.url + path.replaceAll(/\{\w+\}/g, 'x'), { method: method.toUpperCase() })
      expect(response.status, path).toBe(path === '/healthz' ? 200 : 401)
      if (response.status === 401) expect(response.headers.get('www-authenticate')).toBe('Bearer')
    }
    expect((await fetch(`${gateway.url}/nowhere`)).status).toBe(401)
    expect((await gateway.fetch('/v1/sessions')).status).toBe(200)
    expect((await gateway.openai.models.list()).data).toHaveLength(2)
  })

  it('no answer invites another site, or is taken for a page', async () => {
    gateway = await startGateway()
    for (const path of ['/v1/sessions', '/nowhere', '/metrics']) {
      const { headers } = await over({ host: 'localhost' }, path)
      expect(headers['access-control-allow-origin']).toBeUndefined()
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['content-security-policy']).toContain("default-src 'none'")
    }
  })
})

describe('over the local socket', () => {
  it('the owner is trusted, and nobody else can open it', async () => {
    gateway = await startGateway({ access: { token: 'secret' } })
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-socket-'))
    const socketPath = join(directory, 'holdfast.sock')
    writeFileSync(socketPath, 'left by a killed process')
    const listener = await listen(gateway.app, { socketPath })
    try {
      expect(statSync(socketPath).mode & 0o777).toBe(0o600)
      expect(await ask({ socketPath })).toMatchObject({ status: 200 })
      expect(listener).toMatchObject({ url: null, port: null })
    } finally {
      await listener.close(0)
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

it('closes while a stream is open', async () => {
  gateway = await startGateway()
  const listener = await listen(gateway.app, { host: '127.0.0.1', port: 0 })
  const response = await fetch(`${listener.url}/v1/events`)
  await listener.close(10)
  await expect(response.text()).rejects.toThrow()
})

it('tells who has the port already', async () => {
  gateway = await startGateway()
  await expect(listen(gateway.app, { host: '127.0.0.1', port: gateway.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})
