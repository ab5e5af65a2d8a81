import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Turn } from '../../src/model/turns.ts'
import { keyOf } from './harness/api.ts'
import { answerTo, markOf } from './harness/history.ts'
import { totalOf } from './harness/metrics.ts'
import { type Answer, type Asked, always, echo, turnModel } from './harness/model.ts'
import { makeStand, type Stand } from './harness/stand.ts'
import { until } from './harness/wait.ts'

const forever = Array.from({ length: 10_000 }, (_, index) => `word${index} `)
const hangs: [string, Answer, string][] = [
  ['accepts and never answers', { kind: 'hang' }, 'MODEL_TIMEOUT'],
  ['stops in the middle of its answer', { kind: 'hang midway', pieces: ['half an '] }, 'MODEL_TIMEOUT'],
  ['never comes to an end', { kind: 'pieces', pieces: forever, everyMs: 50 }, 'TURN_TIME_LIMIT'],
]
const failures: [string, Answer, string][] = [
  ['limits the rate', { kind: 'status', status: 429, message: 'slow down' }, 'MODEL_RATE_LIMITED'],
  ['reports an error', { kind: 'status', status: 500, message: 'broken' }, 'MODEL_UNAVAILABLE'],
  ['refuses the credentials', { kind: 'status', status: 401, message: 'who are you' }, 'MODEL_AUTH'],
  ['refuses the request', { kind: 'status', status: 400, message: 'not like this' }, 'MODEL_REJECTED'],
  ['answers with something unreadable', { kind: 'garbage' }, 'MODEL_MALFORMED'],
  ['answers with nothing', { kind: 'empty' }, 'MODEL_EMPTY'],
  ['drops the connection', { kind: 'break midway', pieces: ['half an '] }, 'MODEL_UNAVAILABLE'],
]

// Side by side: each waits for a limit or a back-off of its own session.
describe.concurrent('a model', () => {
  it.each(hangs)('that %s: the sender is told, and nobody else waits', async (what, hanging, code) => {
    const { api, model } = stand
    const session = sessionFor(what)
    const mark = (number: number) => markOf(session, number)
    model.of.set(session, {
      turns: (asked) => (JSON.stringify(asked.messages.at(-1)).includes(mark(1)) ? hanging : echo(asked)),
    })
    const hung = api.chat(session, mark(1))
    await until('the model was asked', () => model.askedFor(turnModel, session).length === 1)
    const [stuck] = model.askedFor(turnModel, session) as [Asked]
    const next = api.chat(session, mark(2))

    for (let number = 1; number <= 20; number += 1) {
      const other = `o${number % 4}${session}`
      const { body } = await api.chat(other, markOf(other, number))
      expect(body.choices[0]?.message.content).toBe(answerTo(markOf(other, number)))
    }
    const stillRuns = await api.turns(`session=${encodeURIComponent(keyOf(session))}&status=running`)
    expect(stillRuns, 'it still hangs, and the others were answered').toHaveLength(1)

    const { status, headers, body } = await hung
    expect([status, body.error.code]).toEqual([504, code])
    expect((await next).body.choices[0]?.message.content).toBe(answerTo(mark(2)))
    await until('the model was let go', () => stuck.state === 'left')
    const { turn } = await api.get<{ turn: Turn }>(`/v1/turns/${headers.get('x-turn-id')}`)
    expect([turn.status, turn.outcome?.code]).toEqual(['failed', code])
  })

  it.each(failures)(
    'that %s: the sender is told what it was, and the next message is answered',
    async (what, answer, code) => {
      const { api, model } = stand
      const session = sessionFor(what)
      model.of.set(session, {
        turns: (asked) => (JSON.stringify(asked.messages.at(-1)).includes(markOf(session, 1)) ? answer : echo(asked)),
      })
      const { body } = await api.chat(session, markOf(session, 1))
      expect(body.error.code).toBe(code)
      const { body: next } = await api.chat(session, markOf(session, 2))
      expect(next.choices[0]?.message.content).toBe(answerTo(markOf(session, 2)))
    },
  )

  it('that fails twice is asked again, and its client only sees the answer', async () => {
    const { api, model } = stand
    let asks = 0
    const failing = always({ kind: 'status', status: 503, message: 'not yet' })
    model.of.set('again', {
      turns: (asked) => {
        asks += 1
        return asks < 3 ? failing(asked) : echo(asked)
      },
    })
    const { body } = await api.chat('again', markOf('again', 1))
    expect(body.choices[0]?.message.content).toBe(answerTo(markOf('again', 1)))
    expect(asks).toBe(3)
  })
})

it('never made a turn wait for another session', async () => {
  const samples = await stand.api.metrics()
  for (const cause of ['lane', 'lease', 'compaction', 'recovery', 'disk']) {
    expect(totalOf(samples, 'holdfast_turn_wait_seconds_sum', { cause }), cause).toBe(0)
  }
})

let stand: Stand
beforeAll(async () => {
  stand = await makeStand({ turns: { timeLimit: '12s', stallLimit: '5s', grace: '200ms' } })
})
afterAll(() => stand[Symbol.asyncDispose]())

const sessionFor = (what: string) => what.replaceAll(/[^a-z]/g, '')
