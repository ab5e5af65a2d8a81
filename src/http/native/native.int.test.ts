import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dataIn, echo, type Gateway, gated, readUntil, startGateway } from '../../../test/http/gateway.ts'
import type { Runner } from '../../engine/runner.ts'

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway({
    settings: { context: { windowTokens: 20_000, answerTokens: 1_000, softShare: 0.9, keepShare: 0.01 } },
    summarize: async () => 'They talked about words.',
  })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const start = (run: Runner = echo) => {
  gateway.script(run)
  return gateway
}

const say = (key: string, text: string, more: object = {}) =>
  gateway.call('POST', `/v1/sessions/${key}/turns`, { text, wait: true, ...more })
const submit = (key: string, text: string, more: object = {}) =>
  gateway.call('POST', `/v1/sessions/${key}/turns`, { text, ...more })
const refusal = async (method: string, path: string, body: object = {}) => {
  const response = await gateway.fetch(path, { method, body: JSON.stringify(body) })
  const { error } = (await response.json()) as { error: { code: string } }
  return [response.status, error.code]
}

describe('sessions', () => {
  it('are listed newest first, page by page, with filters', async () => {
    start()
    for (const key of ['one', 'two', 'three', 'cron:daily']) await say(`agent:lister:${key}`, 'hello')
    const first = await gateway.call('GET', '/v1/sessions?agent=lister&limit=3')
    const rest = await gateway.call('GET', `/v1/sessions?agent=lister&limit=3&after=${encodeURIComponent(first.next)}`)
    const keys = [...first.items, ...rest.items].map(({ key }: { key: string }) => key)
    expect(keys).toEqual(['cron:daily', 'three', 'two', 'one'].map((key) => `agent:lister:${key}`))
    expect(rest.next).toBeNull()
    const filtered = async (query: string) =>
      (await gateway.call('GET', `/v1/sessions?agent=lister&${query}`)).items.length
    expect(await filtered('kind=cron')).toBe(1)
    expect(await filtered('prefix=agent:lister:t')).toBe(2)
    expect(await filtered('busy=true')).toBe(0)
    expect(await filtered('busy=false&state=open')).toBe(4)
  })

  it('have a title and a pin that can be changed', async () => {
    start()
    await say('t', 'hello')
    expect(await gateway.call('PATCH', '/v1/sessions/t', { title: 'Plans', pinned: true })).toMatchObject({
      title: 'Plans',
      pinned: true,
    })
    expect(await gateway.call('PATCH', '/v1/sessions/t', { title: null })).toMatchObject({ title: null, pinned: true })
    expect(await refusal('PATCH', '/v1/sessions/t')).toEqual([400, 'REQUEST_INVALID'])
    expect(await refusal('PATCH', '/v1/sessions/nobody', { pinned: true })).toEqual([404, 'SESSION_NOT_FOUND'])
  })

  it('give their entries from either end', async () => {
    start()
    for (const text of ['a', 'b', 'c']) await say('e', text)
    const seqs = async (query: string) =>
      (await gateway.call('GET', `/v1/sessions/e/entries?${query}`)).entries.map(({ seq }: { seq: number }) => seq)
    expect(await seqs('limit=2')).toEqual([1, 2])
    expect(await seqs('limit=2&after=2')).toEqual([3, 4])
    expect(await seqs('order=newest&limit=2')).toEqual([6, 5])
    expect(await seqs('order=newest&limit=9&after=5')).toEqual([4, 3, 2, 1])
    expect(await seqs('kinds=user')).toEqual([1, 3, 5])
  })

  it('are searched', async () => {
    start()
    await say('s1', 'the blue bicycle')
    await say('s2', 'the red bicycle')
    const hits = async (query: string) => (await gateway.call('GET', `/v1/search?${query}`)).items.length
    expect(await hits('text=blue+bicycle')).toBe(2) // the question and its echo
    expect(await hits('text=bicycle&key=s2')).toBe(2)
    expect(await hits('text=green')).toBe(0)
  })

  it('begin anew with a reset, which keeps the earlier transcript', async () => {
    start()
    await say('r', 'before')
    const reset = await gateway.call('POST', '/v1/sessions/r/reset', { reason: 'new subject' })
    expect(reset).toMatchObject({ previousTranscript: 1, session: { transcript: 2 }, cancelledTurnId: null })
    await say('r', 'after')
    const texts = async (query: string) =>
      JSON.stringify((await gateway.call('GET', `/v1/sessions/r/entries${query}`)).entries)
    expect(await texts('')).toContain('after')
    expect(await texts('')).not.toContain('before')
    expect(await texts('?transcript=1')).toContain('before')
  })

  it('are archived only when nothing runs, and opened by the next message', async () => {
    const gate = gated()
    start(gate.runner)
    const { turn } = await submit('z', 'hello')
    await gate.started
    expect(await refusal('POST', '/v1/sessions/z/archive')).toEqual([409, 'SESSION_BUSY'])
    gate.open()
    await gateway.holdfast.settled(turn.id)
    expect(await gateway.call('POST', '/v1/sessions/z/archive')).toMatchObject({ state: 'archived' })
    await say('z', 'again')
    expect(await gateway.call('GET', '/v1/sessions/z')).toMatchObject({ state: 'open' })
  })
})

describe('turns', () => {
  it('are accepted at once, waited for, or followed', async () => {
    start()
    const accepted = await gateway.fetch('/v1/sessions/n/turns', { method: 'POST', body: '{"text":"one"}' })
    expect(accepted.status).toBe(202)
    expect(await accepted.json()).toMatchObject({ repeated: false, coalesced: false, turn: { status: 'queued' } })
    const waited = await say('n', 'two')
    expect(waited).toMatchObject({ turn: { status: 'done' }, reply: [{ kind: 'assistant' }] })
    const followed = await gateway.fetch('/v1/sessions/n/turns', {
      method: 'POST',
      body: '{"text":"x y","stream":true}',
    })
    const events = dataIn(await followed.text())
    expect(events.map(({ type }) => type)).toEqual(['started', 'delta', 'delta', 'delta', 'delta', 'settled'])
    expect(events.at(-1).turn.id).toBe(followed.headers.get('x-turn-id'))
  })

  it('carry instructions, params, source and lane', async () => {
    start()
    const instructions = 'Be brief.'
    const { turn } = await say('i', 'a', { instructions, params: { seed: 1 }, source: 'bot', lane: 'background' })
    expect(turn).toMatchObject({ source: 'bot', lane: 'background' })
    const { request } = (await gateway.holdfast.store.readTurn(turn.id)) ?? {}
    expect(request).toMatchObject({ instructions: [{ role: 'system', content: instructions }], params: { seed: 1 } })
  })

  it('are the same for a repeat with the same key, given either way', async () => {
    start()
    const one = await say('d', 'a', { dedupeKey: 'k' })
    const two = await gateway.fetch('/v1/sessions/d/turns', {
      method: 'POST',
      body: JSON.stringify({ text: 'a' }),
      headers: { 'idempotency-key': 'k' },
    })
    expect(await two.json()).toMatchObject({ repeated: true, turn: { id: one.turn.id, status: 'done' } })
  })

  it('are shown with what was asked and answered, and listed by status and session', async () => {
    start()
    const { turn } = await say('l', 'question')
    await say('other', 'question')
    expect(await gateway.call('GET', `/v1/turns/${turn.id}`)).toMatchObject({
      turn: { id: turn.id },
      inbound: [{ messages: [{ role: 'user', content: 'question' }] }],
      reply: [{ body: { content: 'You said: question' } }],
    })
    const listed = async (query: string) => (await gateway.call('GET', `/v1/turns?${query}`)).items.length
    expect(await listed('status=done&session=l')).toBe(1)
    expect(await listed('status=done,failed&session=l')).toBe(1)
    expect(await listed('status=queued,running&session=l')).toBe(0)
    expect((await gateway.call('GET', '/v1/turns?limit=1&order=oldest')).next).not.toBeNull()
  })

  it('are cancelled while they wait and while they run', async () => {
    const gate = gated()
    start(gate.runner)
    const running = (await submit('c', 'one')).turn
    const waiting = (await submit('c', 'two')).turn
    await gate.started
    const cancelled = await gateway.call('POST', `/v1/turns/${waiting.id}/cancel`)
    expect(cancelled).toMatchObject({ status: 'cancelled' })
    expect(await gateway.call('POST', `/v1/turns/${running.id}/cancel`, { reason: 'enough' })).toMatchObject({
      cancelRequested: 'enough',
    })
    expect((await gateway.holdfast.settled(running.id)).turn).toMatchObject({ status: 'cancelled' })
    expect(await refusal('POST', `/v1/turns/${running.id}/cancel`)).toEqual([409, 'TURN_SETTLED'])
    expect(await refusal('POST', '/v1/turns/none/cancel')).toEqual([404, 'TURN_NOT_FOUND'])
  })

  it('obey the busy policies', async () => {
    const gate = gated()
    start(gate.runner)
    const first = await submit('b', 'one')
    await gate.started
    expect(await refusal('POST', '/v1/sessions/b/turns', { text: 'x', onBusy: 'reject' })).toEqual([
      409,
      'SESSION_BUSY',
    ])
    const joined = [
      await submit('b', 'two', { onBusy: 'coalesce' }),
      await submit('b', 'three', { onBusy: 'coalesce' }),
    ]
    expect(joined.map(({ coalesced }) => coalesced)).toEqual([false, true])
    const interrupt = await submit('b', 'stop', { onBusy: 'interrupt' })
    expect(interrupt.interruptedTurnId).toBe(first.turn.id)
    gate.open()
    expect((await gateway.holdfast.settled(interrupt.turn.id)).turn.status).toBe('done')
    expect((await gateway.holdfast.settled(joined[0].turn.id)).inbound).toHaveLength(2)
  })

  it('can be followed late, from the start of the attempt, and after their end', async () => {
    const gate = gated()
    start(async (turn) => {
      turn.emit('first ')
      return gate.runner(turn)
    })
    const { turn } = await submit('f', 'x')
    await gate.started
    const late = dataIn(await readUntil(await gateway.fetch(`/v1/turns/${turn.id}/events`), 'first '))
    expect(late).toMatchObject([{ type: 'started' }, { type: 'delta', delta: { content: 'first ' } }])
    gate.open()
    await gateway.holdfast.settled(turn.id)
    const after = dataIn(await (await gateway.fetch(`/v1/turns/${turn.id}/events`)).text())
    expect(after).toMatchObject([{ type: 'settled', turn: { status: 'done' } }])
  })
})

describe('summaries', () => {
  const long = Array.from({ length: 300 }, (_, index) => `word${index}`).join(' ')

  it('are made on demand, listed and undone', async () => {
    start()
    for (let index = 0; index < 4; index += 1) await say('sum', `${index} ${long}`)
    const { summary } = await gateway.call('POST', '/v1/sessions/sum/compact')
    expect(summary).toMatchObject({ kind: 'model', text: 'They talked about words.', undoneAtMs: null })
    expect((await gateway.call('GET', '/v1/sessions/sum/summaries')).items).toEqual([summary])
    const undone = await gateway.call('POST', `/v1/sessions/sum/summaries/${summary.id}/undo`)
    expect(undone.summary.undoneAtMs).toBeGreaterThan(0)
    const [status] = await refusal('POST', `/v1/sessions/sum/summaries/${summary.id}/undo`)
    expect([404, 409]).toContain(status)
  })

  it('are not made of nothing', async () => {
    start()
    await say('short', 'hi')
    expect(await refusal('POST', '/v1/sessions/short/compact')).toEqual([409, 'SUMMARY_NOTHING_TO_DO'])
  })
})

describe('the gateway', () => {
  it('says why a session waits, and who holds it', async () => {
    const gate = gated()
    start(gate.runner)
    const { turn } = await submit('w', 'one')
    await gate.started
    const waiting = await submit('w', 'two')
    const why = await gateway.call('GET', '/v1/sessions/w/why')
    expect(why.running.turn.id).toBe(turn.id)
    expect(why.waiting).toMatchObject([{ turnId: waiting.turn.id, cause: 'session' }])
    expect(why.next).toMatch(/\S/)
    expect((await gateway.call('GET', '/v1/leases')).items).toMatchObject([{ turnId: turn.id }])
    gate.open()
    await gateway.holdfast.settled(waiting.turn.id)
  })

  it('tells its status, and verifies its store', async () => {
    start()
    await say('v', 'a')
    expect(await gateway.call('GET', '/v1/status')).toMatchObject({
      version: '1.2.3',
      model: 'scripted',
      health: { ready: true, draining: false },
      statistics: { writable: true },
    })
    expect(await gateway.call('POST', '/v1/verify', { quick: true })).toMatchObject({ ok: true })
  })

  it('makes backups for callers on this machine only', async () => {
    const { app, directory } = start()
    await say('k', 'kept')
    const body = JSON.stringify({ directory: `${directory}/copy` })
    expect(await refusal('POST', '/v1/backup', JSON.parse(body))).toEqual([403, 'HOST_REFUSED'])
    const local = await app.fetch(new Request('http://holdfast.local/v1/backup', { method: 'POST', body }))
    expect(local.status).toBe(200)
    expect(await local.json()).toMatchObject({ verify: { ok: true } })
  })
})

describe('what happens', () => {
  it('is told as it happens, and goes on after the last event that a client has seen', async () => {
    start()
    const watching = await gateway.fetch('/v1/events')
    const { turn } = await say('o', 'one')
    const seen = await readUntil(watching, 'event: turn.settled')
    expect(seen).toContain('event: turn.admitted')
    expect(dataIn(seen).at(-1)).toMatchObject({ type: 'turn.settled', turnId: turn.id, status: 'done' })
    expect(seen).not.toContain('You said')
    const [, lastId] = /id: (\S+)\nevent: turn\.settled/.exec(seen) ?? []
    const next = await say('o', 'two')
    const resumed = await gateway.fetch('/v1/events', { headers: { 'last-event-id': lastId as string } })
    const missed = dataIn(await readUntil(resumed, 'event: turn.settled'))
    expect(new Set(missed.map(({ turnId }) => turnId))).toEqual(new Set([next.turn.id]))
  })

  it('begins with a gap when it cannot go on from there', async () => {
    start()
    await say('o', 'one')
    const resumed = await gateway.fetch('/v1/events', { headers: { 'last-event-id': 'another-7' } })
    expect(await readUntil(resumed, 'event: turn.settled')).toMatch(/^(: waiting\n\n)?event: gap\n/)
  })
})
