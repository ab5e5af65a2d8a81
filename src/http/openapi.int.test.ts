import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dataIn, echo, type Gateway, gated, quarantined, readUntil, startGateway } from '../../test/http/gateway.ts'
import { defaultRetentionPolicy } from '../retention/policy.ts'
import { errorBodySchema } from './errors.ts'
import { openApiOf } from './openapi.ts'
import type { Reply, Route } from './route.ts'

let gateway: Gateway
beforeAll(async () => {
  const words = Array.from({ length: 200 }, (_, index) => `word${index}`).join(' ')
  const kinds = { ...defaultRetentionPolicy.kinds, hook: { ...defaultRetentionPolicy.kinds.hook, sessionsMax: 0 } }
  gateway = await startGateway({
    run: (turn) => (turn.sessionKey === 'agent:main:waits' ? gated().runner : echo)(turn),
    settings: {
      retention: { ...defaultRetentionPolicy, recentMs: 0, kinds },
      context: { windowTokens: 20_000, answerTokens: 1_000, softShare: 0.9, keepShare: 0.01 },
    },
    summarize: async () => 'Words.',
  })
  for (let index = 0; index < 3; index += 1) {
    await gateway.call('POST', '/v1/sessions/s/turns', { text: `${index} ${words}`, wait: true })
  }
})
afterAll(() => gateway[Symbol.asyncDispose]())

const nameOf = ({ method, path }: { method: string; path: string }) => `${method.toUpperCase()} ${path}`

/** Made in this order, over the trusted way, so that each route can answer as it is documented to. */
async function requests(): Promise<[string, string, object?][]> {
  const { turn } = await gateway.call('POST', '/v1/sessions/s/turns', { text: 'x', wait: true })
  const { turn: waiting } = await gateway.call('POST', '/v1/sessions/t/turns', { text: 'x', onBusy: 'queue' })
  await gateway.holdfast.settled(waiting.id)
  const messages = [{ role: 'user', content: 'hello' }]
  for (const key of ['hook:1', 'hook:2']) {
    await gateway.call('POST', `/v1/sessions/${key}/turns`, { text: 'x', wait: true })
  }
  let name = ''
  for await (const event of gateway.holdfast.retention.sweep({ apply: true, trustClock: false })) {
    if (event.type === 'done') name = event.report.sweep
  }
  return [
    ['POST', '/v1/chat/completions', { messages }],
    ['POST', '/v1/chat/completions', { messages, stream: true, stream_options: { include_usage: true } }],
    ['GET', '/v1/models'],
    ['GET', '/v1/sessions'],
    ['GET', '/v1/sessions/s'],
    ['PATCH', '/v1/sessions/s', { title: 'A title' }],
    ['GET', '/v1/sessions/s/entries'],
    ['POST', '/v1/sessions/s/turns', { text: 'x' }],
    ['POST', '/v1/sessions/s/turns', { text: 'x', wait: true }],
    ['POST', '/v1/sessions/s/turns', { text: 'x', stream: true }],
    ['GET', '/v1/turns'],
    ['GET', `/v1/turns/${turn.id}`],
    ['GET', `/v1/turns/${turn.id}/events`],
    ['POST', '/v1/turns/{waiting}/cancel', {}],
    ['POST', '/v1/sessions/s/compact', {}],
    ['GET', '/v1/sessions/s/summaries'],
    ['POST', '/v1/sessions/s/summaries/{summary}/undo', {}],
    ['GET', '/v1/sessions/s/why'],
    ['POST', '/v1/cron', { name: 'job', schedule: '@yearly', text: 'hello' }],
    ['GET', '/v1/cron'],
    ['GET', '/v1/cron/job'],
    ['POST', '/v1/cron/job/run', {}],
    ['PATCH', '/v1/cron/job', { enabled: false }],
    ['DELETE', '/v1/cron/job'],
    ['GET', '/v1/search?text=hello'],
    ['GET', '/v1/leases'],
    ['GET', '/v1/lanes'],
    ['POST', '/v1/sessions/s/release', {}],
    ['POST', '/v1/reload', {}],
    ['GET', '/v1/status'],
    ['GET', '/v1/recovery'],
    ['POST', '/v1/recovery/run', {}],
    ['GET', '/v1/quarantine'],
    ['POST', `/v1/turns/${await quarantined(gateway, 'q')}/release`, {}],
    ['POST', '/v1/verify', { quick: true }],
    ['POST', '/v1/backup', { directory: `${gateway.directory}/backup` }],
    ['POST', '/v1/sessions/s/reset', {}],
    ['POST', '/v1/sessions/s/archive', {}],
    ['POST', '/v1/retention/sweep', {}],
    ['GET', '/v1/retention'],
    ['GET', '/v1/archives'],
    ['GET', '/v1/archives/search?text=x'],
    ['POST', '/v1/archives/{archived}/restore', {}],
    ['POST', '/v1/retention/undo', { name }],
    ['POST', '/v1/trash/empty', {}],
    ['POST', '/v1/sessions/hook:1/delete', { forever: true }],
    ['GET', '/healthz'],
    ['GET', '/readyz'],
    ['GET', '/metrics'],
    ['GET', '/openapi.json'],
  ]
}

function routeOf(method: string, path: string): Route {
  const plain = path.split('?')[0] as string
  const found = gateway.routes.find((route) => {
    const pattern = new RegExp(`^${route.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`)
    return route.method.toUpperCase() === method && pattern.test(plain)
  })
  if (found === undefined) throw new Error(`no route for ${method} ${path}`)
  return found
}

const documentedReply = (route: Route, response: Response): Reply | undefined =>
  [route.reply, ...route.reply.also].find(
    ({ status, contentType }) =>
      status === response.status && response.headers.get('content-type')?.startsWith(contentType) === true,
  )

describe('the description', () => {
  it('is served, and holds every mounted route and no other', async () => {
    const document = await gateway.call('GET', '/openapi.json')
    const described = Object.entries<object>(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => nameOf({ method, path })),
    )
    const mounted = gateway.app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => nameOf({ method, path: path.replaceAll(/:(\w+)/g, '{$1}') }))
    expect(described.sort()).toEqual(mounted.sort())
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } })
  })

  it('names each operation once, each path parameter, and only schemas that are there', () => {
    const document = openApiOf(gateway.routes, '1') as {
      paths: Record<string, Record<string, { operationId: string; parameters: { name: string; in: string }[] }>>
      components: { schemas: object }
    }
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation })),
    )
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
    for (const { path, parameters } of operations) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))
    }
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference)
    const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)
    expect(references.filter((reference) => !known.includes(reference as string))).toEqual([])
    expect(references.length).toBeGreaterThan(20)
  })

  it('is what a running gateway really answers', async () => {
    const seen = new Set<string>()
    for (const [method, template, body] of await requests()) {
      const path = await filled(template)
      const route = routeOf(method, path)
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
      const response = await gateway.app.fetch(new Request(`http://holdfast.local${path}`, init))
      const text = await response.text()
      const reply = documentedReply(route, response)
      expect(reply, `${nameOf(route)} answered ${response.status}: ${text}`).toBeDefined()
      for (const value of valuesIn(reply as Reply, text)) {
        const result = (reply as Reply).schema.safeParse(value)
        expect(result.error?.issues ?? [], nameOf(route)).toEqual([])
      }
      seen.add(nameOf(route))
    }
    const unseen = gateway.routes.map(nameOf).filter((name) => !seen.has(name))
    expect(unseen).toEqual(['GET /v1/events']) // never ends; the next test reads it
  })

  it('is what the stream of events really sends', async () => {
    const route = routeOf('GET', '/v1/events')
    const watching = await gateway.fetch('/v1/events', { headers: { 'last-event-id': 'none-0' } })
    const text = await readUntil(watching, 'session.archived')
    const events = dataIn(text.slice(0, text.lastIndexOf('\n\n'))).filter((event) => event.type !== undefined)
    const types = new Set(events.map(({ type }) => type))
    for (const type of [
      'turn.admitted',
      'turn.started',
      'turn.settled',
      'summary.committed',
      'summary.undone',
      'session.reset',
    ]) {
      expect(types).toContain(type)
    }
    for (const event of events) expect(route.reply.schema.safeParse(event).error?.issues ?? []).toEqual([])
  })

  it('holds for errors too', async () => {
    const response = await gateway.fetch('/v1/sessions/nobody')
    expect(errorBodySchema.safeParse(await response.json()).success).toBe(true)
  })
})

function valuesIn({ contentType }: Reply, text: string): unknown[] {
  if (contentType === 'application/json') return [JSON.parse(text)]
  if (contentType === 'text/plain') return [text]
  return dataIn(text).filter((data) => data !== '[DONE]')
}

/** Ids that are known only when their turn comes. */
async function filled(template: string): Promise<string> {
  if (template.includes('{summary}')) {
    const { items } = await gateway.call('GET', '/v1/sessions/s/summaries')
    return template.replace('{summary}', items[0].id)
  }
  if (template.includes('{archived}')) {
    const { items } = await gateway.call('GET', '/v1/archives')
    return template.replace('{archived}', items[0].id)
  }
  if (!template.includes('{waiting}')) return template
  const { turn } = await gateway.call('POST', '/v1/sessions/waits/turns', { text: 'a' })
  return template.replace('{waiting}', turn.id)
}
