import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Message, textOf } from '../../src/model/messages.ts'
import { keyOf } from './harness/api.ts'
import { answerTo, markOf, problemsOf, type Sent } from './harness/history.ts'
import { echoAfter, turnModel } from './harness/model.ts'
import { makeStand, type Stand } from './harness/stand.ts'

const twenty = Array.from({ length: 20 }, (_, index) => index + 1)

it('runs 20 parallel posts into one session as 20 turns in order', async () => {
  const { api } = stand
  const sent = await Promise.all(
    twenty.map(async (number): Promise<Sent & { turnId: string | null }> => {
      const mark = markOf('a', number)
      const { status, headers, body } = await api.chat('a', mark)
      expect(status).toBe(200)
      const told = body.choices[0]?.message.content ?? null
      return { session: 'a', mark, sentAt: number, acknowledgedAt: 100, told, turnId: headers.get('x-turn-id') }
    }),
  )
  const entries = await api.entries('a')
  const turns = await api.turns(`session=${encodeURIComponent(keyOf('a'))}`)
  expect(problemsOf(sent, [{ session: 'a', entries, turns, fences: [] }])).toEqual([])
  expect(new Set(sent.map(({ turnId }) => turnId)).size).toBe(20)
  expect(turns).toHaveLength(20)
  // Each turn is over before the next begins, and they run in the order of their admission.
  expect(entries.map(({ kind, turnId }) => [kind, turnId])).toEqual(
    turns.flatMap(({ id }) => [
      ['user', id],
      ['assistant', id],
    ]),
  )
})

it('runs one turn for 20 parallel requests with one idempotency key, and tells all of them the same', async () => {
  const { api, model } = stand
  const mark = markOf('b', 1)
  model.of.set('b', { turns: echoAfter(() => 300) })
  const told = await Promise.all(
    twenty.map(async (number) => {
      const options = { idempotencyKey: 'the-one' }
      if (number % 2 === 0) {
        const { headers, text } = await api.chatStream('b', mark, options)
        return { headers, text }
      }
      const { headers, body } = await api.chat('b', mark, options)
      return { headers, text: body.choices[0]?.message.content }
    }),
  )
  expect(told.map(({ text }) => text)).toEqual(twenty.map(() => answerTo(mark)))
  expect(new Set(told.map(({ headers }) => headers.get('x-turn-id'))).size).toBe(1)
  expect(told.filter(({ headers }) => headers.get('x-holdfast-repeated') !== 'true')).toHaveLength(1)
  expect(model.askedFor(turnModel, 'b')).toHaveLength(1)
  const entries = await api.entries('b')
  expect(entries.map(({ body }) => textOf(body as Message))).toEqual([mark, answerTo(mark)])

  const later = await api.chat('b', mark, { idempotencyKey: 'the-one' })
  expect(later.body.choices[0]?.message.content).toBe(answerTo(mark))
  const other = await api.chat('b', 'something else', { idempotencyKey: 'the-one' })
  expect(other.body.error.code).toBe('IDEMPOTENCY_MISMATCH')
  expect(model.askedFor(turnModel, 'b')).toHaveLength(1)
})

let stand: Stand
beforeAll(async () => {
  stand = await makeStand()
})
afterAll(() => stand[Symbol.asyncDispose]())
