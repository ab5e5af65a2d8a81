import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Api, type ErrorBody, keyOf } from './harness/api.ts'
import { makePlace, spawnGateway, startGateway } from './harness/gateway.ts'
import { answerTo, markOf } from './harness/history.ts'
import { makeStand, type Stand } from './harness/stand.ts'

it('refuses a Host or Origin that is not its own, so that no web page can reach it by rebinding', async () => {
  const port = Number(new URL(stand.gateway.url).port)
  const ask = (headers: Record<string, string>) => askWith(port, headers)
  expect(await ask({ host: `127.0.0.1:${port}` })).toBe('200')
  expect(await ask({ host: `localhost:${port}` })).toBe('200')
  expect(await ask({ host: `[::1]:${port}` })).toBe('200')
  expect(await ask({ host: `evil.example:${port}` })).toBe('403 HOST_REFUSED')
  expect(await ask({ host: '127.0.0.1.evil.example' })).toBe('403 HOST_REFUSED')
  expect(await ask({ host: `127.0.0.1:${port}`, origin: 'http://evil.example' })).toBe('403 HOST_REFUSED')
})

it('does not listen beyond this machine without a token, and lets nobody in without it', async () => {
  await using place = await makePlace()
  await using refused = await spawnGateway({ place, flags: ['--host', '0.0.0.0'] })
  expect((await refused.ended).code).toBeGreaterThan(0)
  expect(refused.log()).toMatch(/token/i)

  const token = 'a-long-and-secret-token'
  await using gateway = await startGateway({
    place,
    token,
    flags: ['--host', '0.0.0.0', '--token-env', 'SECRET_OF_TEST'],
    env: { SECRET_OF_TEST: token },
  })
  const statuses = await Promise.all(
    [new Api(gateway.url), new Api(gateway.url, `${token}x`), new Api(gateway.url, token.slice(1)), gateway.api].map(
      async (api) => (await api.send('GET', '/v1/sessions')).status,
    ),
  )
  expect(statuses).toEqual([401, 401, 401, 200])
  expect(gateway.log()).not.toContain(token)
})

it('limits the body of a request, whether its length is told before or not', async () => {
  const { api, gateway } = stand
  const long = await api.chat('a', 'x'.repeat(70_000))
  expect([long.status, long.body.error.code]).toEqual([413, 'REQUEST_TOO_LARGE'])
  const port = Number(new URL(gateway.url).port)
  expect(await askWith(port, {}, 'x'.repeat(70_000))).toBe('413 REQUEST_TOO_LARGE')
  const short = await api.chat('a', markOf('a', 1))
  expect(short.body.choices[0]?.message.content).toBe(answerTo(markOf('a', 1)))
})

it('makes files for their owner only', async () => {
  const { api, place } = stand
  await api.chat('a', 'hello')
  expect(modeOf(await stat(place.data))).toBe('700')
  const found = await readdir(place.data, { recursive: true, withFileTypes: true })
  expect(found.map(({ name }) => name)).toContain('holdfast.sqlite')
  const wrong = await Promise.all(
    found.map(async (entry) => {
      const mode = modeOf(await stat(join(entry.parentPath, entry.name)))
      return mode === (entry.isDirectory() ? '700' : '600') ? [] : [`${entry.name} ${mode}`]
    }),
  )
  expect(wrong.flat()).toEqual([])
})

it('writes nothing that people or models wrote into its log', async () => {
  const { api, gateway, model } = stand
  const canary = 'the-heron-flies-at-dawn'
  model.turns = (asked) => {
    const said = JSON.stringify(asked.messages.at(-1))
    if (said.includes('refuse')) return { kind: 'status', status: 400, message: `cannot say ${canary}` }
    if (said.includes('break')) return { kind: 'status', status: 500, message: `broke at ${canary}` }
    return said.includes('empty') ? { kind: 'empty' } : { kind: 'answer', text: `${canary} indeed` }
  }
  await api.chat('b', `tell me of ${canary}`)
  await api.chatStream('b', `${canary} please`)
  await Promise.all(['refuse', 'break', 'empty'].map((wish) => api.chat(wish, `${wish} ${canary}`)))
  expect((await api.chat('b', `${canary} `.repeat(2_000))).body.error.code).toBe('context_length_exceeded')
  expect((await api.chat('b', `${canary} `.repeat(9_000))).body.error.code).toBe('REQUEST_TOO_LARGE')
  const bad = [
    `{"model":"holdfast","messages":[{"role":"user","content":"${canary}`,
    { model: 'holdfast', messages: [{ role: canary, content: canary }] },
    { model: canary, messages: [{ role: 'user', content: canary }] },
    { model: 'holdfast', messages: canary },
  ]
  const headers = { 'x-session-key': keyOf('b') }
  for (const input of bad) {
    expect((await api.post('/v1/chat/completions', input, { headers })).status).toBeOneOf([400, 404])
  }
  const good = { model: 'holdfast', messages: [{ role: 'user', content: `\ud800 ${canary}` }] }
  expect((await api.post('/v1/chat/completions', good, { headers })).status).toBe(200)
  const elsewhere = { headers: { 'x-session-key': `../${canary}` } }
  expect((await api.post('/v1/chat/completions', good, elsewhere)).status).toBe(400)
  expect((await api.turn('b', canary, { onBusy: canary })).status).toBe(400)
  expect((await api.post(`/v1/sessions/${keyOf('b')}/reset`, { reason: canary })).status).toBe(200)
  expect((await api.send('GET', `/v1/search?text=${canary}`)).status).toBe(200)
  await gateway.stop()
  const lines = gateway.log().split('\n')
  expect(lines.some((line) => line.includes('"level"'))).toBe(true)
  expect(lines.filter((line) => line.includes(canary))).toEqual([])
})

let stand: Stand
beforeAll(async () => {
  stand = await makeStand({ model: { contextWindow: 4_000, answerTokens: 500 }, server: { bodyMax: '64kb' } })
})
afterAll(() => stand[Symbol.asyncDispose]())

const modeOf = ({ mode }: { mode: number }): string => (mode & 0o777).toString(8)

/** With headers that `fetch` does not let through. A body is sent in chunks, without its length. */
async function askWith(port: number, headers: Record<string, string>, body?: string): Promise<string> {
  const method = body === undefined ? 'GET' : 'POST'
  const path = body === undefined ? '/v1/models' : '/v1/chat/completions'
  const asking = request({
    port,
    host: '127.0.0.1',
    method,
    path,
    headers: { ...headers, 'content-type': 'application/json' },
  })
  asking.end(body)
  const [response] = await once(asking, 'response')
  const answer = JSON.parse(await text(response)) as Partial<ErrorBody>
  return [response.statusCode, answer.error?.code].filter((part) => part !== undefined).join(' ')
}
