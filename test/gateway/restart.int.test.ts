import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { type Message, textOf } from '../../src/model/messages.ts'
import type { Turn } from '../../src/model/turns.ts'
import type { Api } from './harness/api.ts'
import { gateBefore } from './harness/gate.ts'
import { type GatewayOptions, makePlace, startGateway } from './harness/gateway.ts'
import { answerTo, markOf } from './harness/history.ts'
import { type Asked, always, echo, echoAfter, startModel } from './harness/model.ts'
import { makeStand } from './harness/stand.ts'
import { until, untilSettled } from './harness/wait.ts'

const one = markOf('a', 1)
const two = markOf('a', 2)

it('lets a running turn finish on SIGTERM, and exits with 0', async () => {
  await using stand = await makeStand(
    { shutdown: { drain: '10s' } },
    echoAfter(() => 600),
  )
  const running = stand.api.chat('a', one)
  const streaming = stand.api.chatStream('b', markOf('b', 1))
  await until('the model was asked', () => stand.model.asked.length === 2)
  const ended = stand.gateway.stop()
  expect((await running).body.choices?.[0]?.message.content).toBe(answerTo(one))
  expect((await streaming).text).toBe(answerTo(markOf('b', 1)))
  expect(await ended).toEqual({ code: 0, signal: null })
})

it('exits with 0 on SIGTERM though the model hangs, and answers after the next start', async () => {
  await using place = await makePlace()
  await using model = await startModel(always({ kind: 'hang' }))
  const options = { place, model, config: { shutdown: { drain: '200ms' }, turns: { grace: '200ms' } } }
  await using first = await startGateway(options)
  const { body } = await first.api.turn('a', one)
  await until('the model was asked', () => model.asked.length === 1)
  expect(await first.stop()).toEqual({ code: 0, signal: null })

  model.turns = echo
  await using second = await startGateway(options)
  await untilSettled(second.api)
  const { turn } = await second.api.get<{ turn: Turn }>(`/v1/turns/${body.turn.id}`)
  expect([turn.status, turn.attempts]).toEqual(['done', 2])
  expect((await words(second.api, 'a')).slice(-2)).toEqual([one, answerTo(one)])
  expect(JSON.stringify(model.asked.at(-1)?.messages).split(one), 'shown to the model once').toHaveLength(2)
})

it('answers new messages after a crash first, and then resumes newest first, one at a time', async () => {
  await using place = await makePlace()
  await using model = await startModel(always({ kind: 'hang' }))
  const options: GatewayOptions = { place, model, config: { lanes: { resume: { concurrency: 1 } } } }
  const interrupted = [1, 2, 3, 4, 5].map((number) => markOf(`r${number}`, 1))
  {
    await using first = await startGateway(options)
    for (const [index, mark] of interrupted.entries()) {
      await first.api.turn(`r${index + 1}`, mark)
      await until('the model was asked', () => model.asked.length === index + 1)
    }
    await first.kill()
  }
  const newest = ({ messages }: Asked) => textOf(messages.at(-1) as Message)
  const asked = () => model.asked.slice(interrupted.length).map(newest)
  const gate = gateBefore(echo, (each) => interrupted.includes(newest(each)))
  model.turns = gate.behaviour

  await using second = await startGateway(options)
  await until('the first resume runs', () => gate.waiting.length > 0)
  const elsewhere = await second.api.chat('new', one)
  expect(elsewhere.body.choices[0]?.message.content).toBe(answerTo(one))
  const overtaking = await second.api.chat('r2', markOf('r2', 2))
  expect(overtaking.body.choices[0]?.message.content).toBe(answerTo(markOf('r2', 2)))
  await sleep(200) // time for a second resume to start, if it were allowed to
  expect(asked()).toEqual([interrupted[4], one, markOf('r2', 2)])

  gate.open()
  await untilSettled(second.api)
  expect(asked().filter((mark) => interrupted.includes(mark))).toEqual(interrupted.toReversed())
  for (const [index, mark] of interrupted.entries()) {
    const said = await words(second.api, `r${index + 1}`)
    expect(said.at(-1)).toBe(answerTo(mark))
    expect(said.filter((text) => text === mark || text === answerTo(mark))).toEqual([mark, answerTo(mark)])
  }
})

it('does not run a turn a fourth time, and tells why', async () => {
  await using place = await makePlace()
  await using model = await startModel(always({ kind: 'hang' }))
  let turnId = ''
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    await using gateway = await startGateway({ place, model })
    if (attempt === 1) turnId = (await gateway.api.turn('a', one)).body.turn.id
    await until('the model was asked', () => model.asked.length === attempt)
  }
  model.turns = echo
  await using gateway = await startGateway({ place, model })
  await untilSettled(gateway.api)
  const { turn } = await gateway.api.get<{ turn: Turn }>(`/v1/turns/${turnId}`)
  expect([turn.status, turn.outcome?.code, turn.attempts]).toEqual(['quarantined', 'TURN_QUARANTINED', 3])
  expect(model.asked).toHaveLength(3)
  expect((await gateway.api.entries('a')).at(-1)?.kind).toBe('event')
  const { body } = await gateway.api.chat('a', two)
  expect(body.choices[0]?.message.content).toBe(answerTo(two))
})

/** What was said in the session, without events. */
async function words(api: Api, session: string): Promise<string[]> {
  const entries = await api.entries(session)
  return entries.filter(({ kind }) => kind !== 'event').map(({ body }) => textOf(body as Message))
}
