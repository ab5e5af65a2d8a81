import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Gateway, startGateway } from '../../../test/http/gateway.ts'
import { defaultRetentionPolicy } from '../../retention/policy.ts'

let gateway: Gateway
beforeAll(async () => {
  const kinds = { ...defaultRetentionPolicy.kinds, other: { ...defaultRetentionPolicy.kinds.other, sessionsMax: 0 } }
  gateway = await startGateway({ settings: { retention: { ...defaultRetentionPolicy, recentMs: 0, kinds } } })
  await gateway.call('POST', '/v1/sessions/alice/turns', { text: 'the blue bicycle', wait: true })
})
afterAll(() => gateway[Symbol.asyncDispose]())

/** The events of a sweep, each with the name that it had in the stream. */
async function sweep(body: unknown): Promise<{ event: string; data: Record<string, unknown> }[]> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await gateway.fetch('/v1/retention/sweep', init)
  const frames = (await response.text()).split('\n\n').filter((frame) => frame.startsWith('event: '))
  return frames.map((frame) => {
    const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(frame) ?? []
    return { event, data: JSON.parse(data) }
  })
}

it('a sweep is shown, done, refused so soon after, and undone', async () => {
  const step = { kind: 'take out', key: 'agent:main:alice', cause: 'count' }
  expect(await sweep({})).toMatchObject([
    { event: 'step', data: { step, outcome: 'planned' } },
    { event: 'done', data: { report: { applied: false, sessions: 1 } } },
  ])
  const done = await sweep({ apply: true })
  expect(done).toMatchObject([
    { event: 'step', data: { step, outcome: 'done' } },
    { event: 'done', data: { report: { applied: true, sessions: 1 } } },
  ])
  expect(await sweep({ apply: true })).toMatchObject([{ event: 'error', data: { error: { code: 'RETENTION_BUSY' } } }])
  expect((await gateway.fetch('/v1/sessions/alice')).status).toBe(404)
  const { items } = await gateway.call('GET', '/v1/archives?place=archives&key=alice')
  expect(items).toMatchObject([{ sessionKey: 'agent:main:alice', whole: true }])
  const found = await gateway.call('GET', '/v1/archives/search?text=blue%20bicycle&limit=1')
  expect(found.items).toMatchObject([{ id: items[0].id, text: 'the blue bicycle' }])
  expect(await gateway.call('GET', '/v1/status')).toMatchObject({ retention: { last: { applied: true, sessions: 1 } } })

  const { report } = (done[1] as { data: unknown }).data as { report: { sweep: string } }
  const undone = await gateway.call('POST', '/v1/retention/undo', { name: report.sweep })
  expect(undone).toEqual({ restored: [{ key: 'agent:main:alice', transcript: 1 }], conflicts: [] })
  const { entries } = await gateway.call('GET', '/v1/sessions/alice/entries')
  expect(entries[0]).toMatchObject({ body: { content: 'the blue bicycle' } })
})

it('deleting for good must be meant', async () => {
  const send = (path: string, body: unknown) => gateway.fetch(path, { method: 'POST', body: JSON.stringify(body) })
  for (const body of [{}, { forever: false }, { forever: 'true' }]) {
    expect((await send('/v1/sessions/alice/delete', body)).status).toBe(400)
  }
  expect(await gateway.call('POST', '/v1/sessions/alice/delete', { forever: true })).toEqual({
    session: true,
    archived: 0,
  })
  expect((await send('/v1/sessions/alice/delete', { forever: true })).status).toBe(404)
})

it.each([
  ['/v1/retention/undo', { name: '../../../etc' }, 404],
  ['/v1/retention/undo', { name: '' }, 400],
  ['/v1/retention/sweep', { apply: 'yes' }, 400],
  ['/v1/archives/7/restore', {}, 404],
  ['/v1/archives/-1/restore', {}, 400],
])('%s with %j is answered with %i', async (path, body, status) => {
  expect((await gateway.fetch(path, { method: 'POST', body: JSON.stringify(body) })).status).toBe(status)
})
