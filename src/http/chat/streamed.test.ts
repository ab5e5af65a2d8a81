import { describe, expect, it } from 'vitest'
import type { TurnEvent } from '../../engine/events.ts'
import { systemClock } from '../../host/clock.ts'
import { HoldfastError } from '../../model/errors.ts'
import { parseSessionKey } from '../../model/keys.ts'
import type { Turn } from '../../model/turns.ts'
import { ChunkMaker } from './answer.ts'
import { headerHeldMs, streamedAnswer } from './streamed.ts'

const turn: Turn = {
  id: 't1',
  position: 1,
  sessionKey: parseSessionKey('s'),
  lane: 'main',
  source: 'api',
  status: 'done',
  attempts: 1,
  handedOver: 0,
  blockedBy: null,
  admittedAtMs: 5_999,
  readyAtMs: null,
  startedAtMs: null,
  progressAtMs: null,
  settledAtMs: null,
  cancelRequested: null,
  outcome: null,
  finishReason: null,
  usage: null,
  transcript: null,
  replyFromSeq: null,
  replyToSeq: null,
  releasedAs: null,
}

async function* of(...events: TurnEvent[]): AsyncGenerator<TurnEvent> {
  yield* events
}
const started: TurnEvent = { type: 'started', attempt: 1 }
const delta = (content: string): TurnEvent => ({ type: 'delta', delta: { content } })
const settled: TurnEvent = { type: 'settled', turn, reply: [] }
const waits: number[] = []
/** Every wait is over at once. */
const hurried = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => {
    waits.push(ms)
    return systemClock.sleep(0, signal)
  },
}
const answer = (events: AsyncIterable<TurnEvent>, clock = systemClock) =>
  streamedAnswer({
    events,
    chunks: new ChunkMaker(turn, 'm', false),
    stop: new AbortController(),
    clock,
    headers: { 'x-turn-id': 't1' },
  })

describe('a streamed answer', () => {
  it('keeps its header back until the first piece, so that an early error has its own status', async () => {
    async function* failing(): AsyncGenerator<TurnEvent> {
      yield started
      throw new HoldfastError('MODEL_AUTH')
    }
    const response = await answer(failing())
    expect(response.status).toBe(502)
    expect(response.headers.get('x-turn-id')).toBe('t1')
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(await response.json()).toMatchObject({ error: { code: 'MODEL_AUTH' } })
  })

  it('does not keep it back for longer than two seconds, and then says that it waits', async () => {
    const held = Promise.withResolvers<TurnEvent>()
    async function* slow(): AsyncGenerator<TurnEvent> {
      yield started
      yield await held.promise
      yield settled
    }
    waits.length = 0
    const response = await answer(slow(), hurried)
    expect(waits).toEqual([headerHeldMs])
    expect(response.status).toBe(200)
    held.resolve(delta('late'))
    const text = await response.text()
    expect(text).toMatch(/^: waiting\n\n/)
    expect(text).toContain('"content":"late"')
    expect(text).toMatch(/data: \[DONE\]\n\n$/)
  })

  it('goes on through a new beginning while nothing was sent', async () => {
    const text = await (await answer(of(started, { type: 'restarted' }, started, delta('a'), settled))).text()
    expect(text).toContain('"delta":{"role":"assistant","content":"a"}')
    expect(text).toContain('[DONE]')
  })

  it('ends with an error when the answer is begun again after some of it was sent', async () => {
    const text = await (
      await answer(of(started, delta('a'), { type: 'restarted' }, started, delta('b'), settled))
    ).text()
    expect(text).toContain('"code":"TURN_INTERRUPTED"')
    expect(text).not.toContain('"content":"b"')
    expect(text).not.toContain('[DONE]')
  })

  it('names no [DONE] when the turn failed', async () => {
    const outcome = { code: 'TURN_STALLED', message: 'stalled', facts: {}, retryAfterMs: null } as const
    const failed: TurnEvent = { type: 'settled', turn: { ...turn, status: 'failed', outcome }, reply: [] }
    const text = await (await answer(of(delta('a'), failed))).text()
    expect(text).toContain('"code":"TURN_STALLED"')
    expect(text).not.toContain('[DONE]')
  })

  it('passes deltas through as they are, and is made in the second of the admission', async () => {
    const odd: TurnEvent = { type: 'delta', delta: { reasoning_content: 'hm', tool_calls: [{ index: 0 }] } }
    const text = await (await answer(of(delta('a'), odd, settled))).text()
    expect(text).toContain('"delta":{"reasoning_content":"hm","tool_calls":[{"index":0}]}')
    expect(text).toContain('"id":"chatcmpl-t1","created":5')
  })
})
