import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { echo, type Gateway, gated, startGateway } from '../../../test/http/gateway.ts'
import { defaultSettings } from '../../engine/settings.ts'
import type { Job } from '../../model/jobs.ts'

let gateway: Gateway
const reset = { ...defaultSettings.sessions.reset, idleMaxMs: 1_000 }

beforeAll(async () => {
  gateway = await startGateway({ settings: { sessions: { reset }, cron: { jobsMax: 20 } } })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const yearly = { name: 'New year', schedule: '0 0 1 1 *', text: 'Happy new year' }

function add(more: object): Promise<Job> {
  return gateway.call('POST', '/v1/cron', { ...yearly, ...more })
}

async function refusal(method: string, path: string, body?: unknown) {
  const response = await gateway.fetch(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const { error } = (await response.json()) as { error: { code: string; message: string } }
  return { status: response.status, ...error }
}

describe('a job over HTTP', () => {
  it('is made, listed, read, switched and removed', async () => {
    const job = await add({ timeZone: 'Europe/Vienna', instructions: [{ role: 'system', content: 'be brief' }] })
    expect(job).toMatchObject({
      ...{
        id: 'new-year',
        agentId: 'main',
        missed: 'once',
        enabled: true,
        lastStatus: null,
        timeZone: 'Europe/Vienna',
      },
      messages: [{ role: 'user', content: 'Happy new year' }],
    })
    expect(new Date(job.nextAtMs as number).toISOString()).toMatch(/-12-31T23:00:00.000Z$/)
    expect((await gateway.call('GET', '/v1/cron')).items).toEqual([job])
    expect(await gateway.call('GET', '/v1/cron/new-year')).toEqual(job)
    expect(await gateway.call('PATCH', '/v1/cron/new-year', { enabled: false })).toMatchObject({ nextAtMs: null })
    expect(await gateway.call('DELETE', '/v1/cron/new-year')).toEqual({ id: 'new-year' })
    expect(await refusal('GET', '/v1/cron/new-year')).toMatchObject({ status: 404, code: 'JOB_NOT_FOUND' })
    expect(await refusal('DELETE', '/v1/cron/new-year')).toMatchObject({ status: 404, code: 'JOB_NOT_FOUND' })
  })
  it('is listed a page at a time', async () => {
    for (const id of ['p1', 'p2', 'p3']) await add({ id })
    const first = await gateway.call('GET', '/v1/cron?limit=2')
    const second = await gateway.call('GET', `/v1/cron?limit=2&after=${first.next}`)
    expect([...first.items, ...second.items].map(({ id }: Job) => id)).toEqual(['p1', 'p2', 'p3'])
    expect(second.next).toBeNull()
    for (const id of ['p1', 'p2', 'p3']) await gateway.call('DELETE', `/v1/cron/${id}`)
  })
  it('runs in a session of its own, not twice at once, and goes on when it is removed meanwhile', async () => {
    const gate = gated()
    gateway.script(gate.runner)
    await add({ id: 'slow' })
    const { turn } = await gateway.call('POST', '/v1/cron/slow/run', {})
    expect(turn.sessionKey).toBe(`agent:main:cron:slow:run:${turn.id}`)
    expect(turn).toMatchObject({ lane: 'cron', source: 'cron:slow' })
    await gate.started
    expect(await refusal('POST', '/v1/cron/slow/run', {})).toMatchObject({ status: 409, code: 'JOB_RUNNING' })
    await gateway.call('DELETE', '/v1/cron/slow')
    gate.open()
    await gateway.holdfast.settled(turn.id)
    gateway.script(echo)
    const { entries } = await gateway.call('GET', `/v1/sessions/${turn.sessionKey}/entries`)
    expect(entries.at(-1).body.content).toBe('You said: Happy new year')
  })
  it.each([
    [{ schedule: '0 0 30 2 *' }, 400, 'JOB_INVALID', 'never due'],
    [{ timeZone: 'Mars/Olympus' }, 400, 'JOB_INVALID', 'no time zone'],
    [{ id: '../x' }, 400, 'JOB_INVALID', 'an id has'],
    [{ text: undefined }, 400, 'REQUEST_INVALID', 'either `text` or `messages`'],
    [{ missed: 'maybe' }, 400, 'REQUEST_INVALID', 'must be one of skip, once, all'],
    [{ every: '5m' }, 400, 'REQUEST_INVALID', 'every'],
    [{ text: 'x'.repeat(70_000) }, 400, 'JOB_INVALID', '65536 bytes'],
  ])('is refused with %o', async (more, status, code, because) => {
    expect(await refusal('POST', '/v1/cron', { ...yearly, ...more })).toMatchObject({
      ...{ status, code, message: expect.stringContaining(because) },
    })
  })
  it('is refused over the limit', async () => {
    for (let number = 0; number < 20; number += 1) await add({ id: `n${number}` })
    expect(await refusal('POST', '/v1/cron', yearly)).toMatchObject({ status: 409, code: 'JOB_LIMIT' })
    expect(await add({ id: 'n3', name: 'changed', replace: true })).toMatchObject({ name: 'changed' })
  })
  it('is found by nothing that is not an id', async () => {
    expect(await refusal('GET', '/v1/cron/Not%20An%20Id')).toMatchObject({ status: 400, code: 'JOB_INVALID' })
    expect(await refusal('POST', '/v1/cron/nothing/run', {})).toMatchObject({ status: 404, code: 'JOB_NOT_FOUND' })
  })
})

it('a session that was idle for longer than its binding begins anew, and its transcript says so', async () => {
  const say = (text: string) => gateway.call('POST', '/v1/sessions/alice/turns', { text, wait: true })
  await say('one')
  expect((await say('two')).turn.transcript).toBe(1)
  const { activeAtMs } = await gateway.call('GET', '/v1/sessions/alice')
  await new Promise((resolve) => setTimeout(resolve, activeAtMs + 1_050 - Date.now()))
  const { begunTranscript } = await gateway.call('POST', '/v1/sessions/alice/turns', { text: 'three' })
  expect(begunTranscript).toBe(2)
  const { transcript, entries } = await gateway.call('GET', '/v1/sessions/alice/entries?limit=1')
  expect([transcript, entries[0].body]).toEqual([
    2,
    { code: 'SESSION_RESET', text: 'The session was reset: idle for more than 1s', transcript: 2 },
  ])
})
