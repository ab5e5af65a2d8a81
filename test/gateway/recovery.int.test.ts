import { expect, it } from 'vitest'
import type { RecoveryReport } from '../../src/engine/upkeep/recover.ts'
import { type Message, textOf } from '../../src/model/messages.ts'
import type { Turn } from '../../src/model/turns.ts'
import { nameOf } from '../../src/recovery/plan.ts'
import { type Gateway, makePlace, startGateway } from './harness/gateway.ts'
import { answerTo, markOf } from './harness/history.ts'
import { always, type Behaviour, echo, startModel } from './harness/model.ts'
import { holdfast, stepsOf, turnOf } from './harness/recovery.ts'
import { until, untilSettled } from './harness/wait.ts'

const one = markOf('a', 1)
const poison = markOf('poison', 1)

/** Ends the gateway's process, by SIGKILL, whenever it is asked for an answer to the poison: it may ask before it is ready. */
function poisonous(victim: () => Promise<Gateway>): Behaviour {
  return async (asked) => {
    if (textOf(asked.messages.at(-1) as Message) !== poison) return echo(asked)
    await (await victim()).kill()
    return { kind: 'hang' }
  }
}

it('a turn that kills the process ends in quarantine, told once, while others are answered', async () => {
  await using place = await makePlace()
  let starting: Promise<Gateway>
  await using model = await startModel(poisonous(() => starting))
  const options = { place, model, config: { recovery: { crashLoopStarts: 99 } } }
  let turnId = ''
  for (let start = 1; start <= 3; start += 1) {
    starting = startGateway(options)
    const { api, ended } = await starting
    if (start === 1) turnId = (await api.turn('poison', poison, { dedupeKey: 'p' })).body.turn.id
    await until('the poison was asked', () => model.askedFor('turn-model', 'poison').length === start)
    await ended
  }
  const gateway = await startGateway(options)
  const { api } = gateway
  const answered = await api.chat('a', one)
  expect(answered.body.choices[0]?.message.content).toBe(answerTo(one))
  await untilSettled(api)
  expect(await turnOf(api, turnId)).toMatchObject({ status: 'quarantined', attempts: 3, handedOver: 0 })
  // Whoever asks again with the same key is told, and the transcript says it once.
  const again = await api.turn('poison', poison, { dedupeKey: 'p', wait: true })
  expect(again.body.turn).toMatchObject({ id: turnId, outcome: { code: 'TURN_QUARANTINED', facts: { attempts: 3 } } })
  expect((await api.entries('poison')).map(({ kind }) => kind)).toEqual(['user', 'event'])
  expect(model.askedFor('turn-model', 'poison')).toHaveLength(3)

  const { items } = await holdfast<{ items: Turn[] }>(place, 'quarantine', 'list')
  expect(items.map(({ id }) => id)).toEqual([turnId])
  model.turns = echo
  const released = await holdfast<Turn>(place, 'quarantine', 'release', turnId)
  await untilSettled(api)
  expect(await turnOf(api, released.id)).toMatchObject({ status: 'done', attempts: 1 })
  expect((await holdfast<{ items: Turn[] }>(place, 'quarantine', 'list')).items).toEqual([])
  await gateway.stop()
})

it('the plan says before a start what the start then does, kind by kind', async () => {
  await using place = await makePlace()
  await using model = await startModel(always({ kind: 'hang' }))
  const options = { place, model, config: { recovery: { resumes: 2 }, turns: { attempts: 2 } } }
  const running = async ({ api }: Gateway, count: number) => (await api.turns('status=running')).length === count
  {
    await using first = await startGateway(options)
    await first.api.turn('used', one)
    await until('it runs', () => running(first, 1))
    await first.kill()
  }
  {
    await using second = await startGateway(options)
    await until('it runs again', async () => (await second.api.turns('status=running'))[0]?.attempts === 2)
    for (const [at, name] of ['stop', 'r1', 'r2', 'r3'].entries()) {
      await second.api.turn(name, one)
      await until('it runs', () => running(second, at + 2))
    }
    const stop = (await second.api.turns('status=running')).find(({ sessionKey }) =>
      sessionKey.endsWith('stop'),
    ) as Turn
    await second.api.post(`/v1/turns/${stop.id}/cancel`, {})
    await second.kill() // its end may be durable by then, or is left to the next start
  }
  model.turns = echo
  const { todo } = await holdfast<RecoveryReport>(place, 'recover', '--plan')
  expect(todo.map(nameOf).filter((name) => name !== 'cancel')).toEqual([
    'skip failed',
    'quarantine',
    'resume',
    'resume',
  ])
  await using third = await startGateway(options)
  await until('it has taken every step', async () => {
    const report = await third.api.get<RecoveryReport>('/v1/recovery')
    return report.done.length === todo.length && report.todo.length === 0
  })
  const { done } = await holdfast<RecoveryReport>(place, 'recover', '--plan')
  expect(stepsOf(done)).toEqual(stepsOf(todo))
})

it('`recover --run` without a gateway ends what needs no run, and queues the rest for the next', async () => {
  await using place = await makePlace()
  await using model = await startModel(always({ kind: 'hang' }))
  const options = { place, model, config: { recovery: { resumes: 1 } } }
  const turnIds: string[] = []
  {
    await using first = await startGateway(options)
    for (const name of ['r1', 'r2']) {
      turnIds.push((await first.api.turn(name, one)).body.turn.id)
      await until('it runs', async () => (await first.api.turns('status=running')).length === turnIds.length)
    }
    await first.kill()
  }
  const report = await holdfast<RecoveryReport>(place, 'recover', '--run')
  expect(report.done.map((step) => [nameOf(step), step.turnId])).toEqual([
    ['skip failed', turnIds[0]],
    ['resume', turnIds[1]],
  ])
  model.turns = echo
  await using gateway = await startGateway(options)
  await untilSettled(gateway.api)
  const turns = await Promise.all(turnIds.map((id) => turnOf(gateway.api, id)))
  expect(turns.map(({ status }) => status)).toEqual(['failed', 'done'])
})
