import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Gateway, interrupted, quarantined, startGateway } from '../../../test/http/gateway.ts'

let gateway: Gateway
beforeEach(async () => {
  gateway = await startGateway()
})
afterEach(() => gateway[Symbol.asyncDispose]())

it('says what becomes of an interrupted turn, and does it when asked', async () => {
  await gateway.call('POST', '/v1/recovery/run', {}) // the look that every start takes is over then
  const turnId = await interrupted(gateway, 'alice')
  const plan = await gateway.call('GET', '/v1/recovery')
  expect(plan).toMatchObject({
    started: true,
    state: { resumes: 'on', because: null, crashLoop: false, uncleanStarts: 0, onInMs: null },
    done: [],
    todo: [{ kind: 'resume', turnId, sessionKey: 'agent:main:alice', because: 'attempt 2 of 3' }],
    more: false,
  })
  const after = await gateway.call('POST', '/v1/recovery/run', {})
  expect(after).toMatchObject({ done: [{ kind: 'resume', turnId, result: 'done' }], todo: [] })
  const { turn } = await gateway.holdfast.settled(turnId)
  expect(turn).toMatchObject({ status: 'done', lane: 'resume' })
  expect((await gateway.call('GET', '/v1/status')).recovery).toMatchObject({ resumed: 1 })
})

it('lists what is in quarantine, and runs it again as a new turn, once', async () => {
  const turnId = await quarantined(gateway, 'alice')
  const listed = await gateway.call('GET', '/v1/quarantine')
  expect(listed).toMatchObject({ items: [{ id: turnId, outcome: { code: 'TURN_QUARANTINED' } }], next: null })
  const released = await gateway.call('POST', `/v1/turns/${turnId}/release`, {})
  const again = await gateway.call('POST', `/v1/turns/${turnId}/release`, {})
  expect(again.id).toBe(released.id)
  expect((await gateway.holdfast.settled(released.id)).turn.status).toBe('done')
  expect(await gateway.call('GET', '/v1/quarantine')).toEqual({ items: [], next: null })
  const refused = await gateway.fetch(`/v1/turns/${released.id}/release`, { method: 'POST', body: '{}' })
  expect(refused.status).toBe(409)
  expect(await refused.json()).toMatchObject({ error: { code: 'TURN_NOT_QUARANTINED' } })
})
