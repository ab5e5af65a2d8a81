import OpenAI from 'openai'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { keyOf } from '../gateway/harness/api.ts'
import { makePlace, startGateway } from '../gateway/harness/gateway.ts'
import { always, echo, type ModelServer, startModel, turnModel } from '../gateway/harness/model.ts'
import { until } from '../gateway/harness/wait.ts'
import { newSchema } from '../postgres/ground.ts'
import { Server } from '../postgres/server.ts'

let server: Server
let model: ModelServer
beforeAll(async () => {
  server = await Server.start()
  model = await startModel(echo)
})
afterAll(async () => {
  await server.stop()
  await model[Symbol.asyncDispose]()
})

/** Two gateways of which the first has its only slot taken: what is sent to it runs in the second. */
async function pair() {
  const flags = ['--store', await newSchema(server)]
  const [one, other] = [await makePlace(), await makePlace()]
  model.of.set('busy', { turns: always({ kind: 'hang' }) })
  const front = await startGateway({ place: one, model, flags, config: { lanes: { main: { concurrency: 1 } } } })
  await front.api.turn('busy', 'mark-busy-1')
  await until('the slot is taken', () => model.askedFor(turnModel, 'busy').length > 0)
  const back = await startGateway({ place: other, model, flags })
  return {
    front,
    back,
    async [Symbol.asyncDispose]() {
      await Promise.all([front.kill(), back.kill()])
      await Promise.all([one[Symbol.asyncDispose](), other[Symbol.asyncDispose]()])
    },
  }
}

const pieces = ['answer ', 'to ', 'mark-', 'alice', '-1']

it('a client reads the tokens of a turn that runs in another gateway, as they come', async () => {
  await using gateways = await pair()
  model.of.set('alice', { turns: always({ kind: 'pieces', pieces, everyMs: 400 }) })
  const client = new OpenAI({ baseURL: `${gateways.front.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const stream = await client.chat.completions.create(
    { model: 'holdfast', stream: true, messages: [{ role: 'user', content: 'mark-alice-1' }] },
    { headers: { 'x-session-key': keyOf('alice') } },
  )
  const came: [string, number][] = []
  for await (const part of stream) {
    const text = part.choices[0]?.delta.content ?? ''
    if (text !== '') came.push([text, Date.now()])
  }
  expect(came.map(([text]) => text).join('')).toBe('answer to mark-alice-1')
  // they were told while the turn ran, which takes two seconds, and not when it had ended
  expect((came.at(-1)?.[1] ?? 0) - (came[0]?.[1] ?? 0)).toBeGreaterThan(500)
  const [turn] = await gateways.front.api.turns(`session=${encodeURIComponent(keyOf('alice'))}`)
  expect([turn?.status, turn?.attempts]).toEqual(['done', 1])
})

it('a client has its whole answer when the other gateway dies before a word of it, and the next takes over', async () => {
  await using gateways = await pair()
  model.of.set('bob', { turns: always({ kind: 'hang' }) })
  const answered = gateways.front.api.chatStream('bob', 'mark-bob-1')
  await until('it runs in the other gateway', () => model.askedFor(turnModel, 'bob').length > 0)
  model.of.delete('bob')
  model.of.set('busy', {}) // the slot is free again with the next that is asked
  await gateways.back.kill()
  await gateways.front.api.post(`/v1/sessions/${keyOf('busy')}/reset`, { reason: 'to make room' })
  expect((await answered).text).toBe('answer to mark-bob-1')
})
