import { expect, it } from 'vitest'
import type { RecoveryReport } from '../../src/engine/upkeep/recover.ts'
import { nameOf } from '../../src/recovery/plan.ts'
import { bin, node } from '../cli/processes.ts'
import { makePlace, startGateway } from './harness/gateway.ts'
import { answerTo, markOf } from './harness/history.ts'
import { totalOf } from './harness/metrics.ts'
import { always, echo, startModel } from './harness/model.ts'
import { holdfast, run, stateOf, stepsOf, turnOf } from './harness/recovery.ts'
import { until, untilSettled } from './harness/wait.ts'

const one = markOf('a', 1)

it('three kills within the time are a crash loop: answers at once, resumes nothing, and goes on by itself', async () => {
  await using place = await makePlace()
  await using model = await startModel(always({ kind: 'hang' }))
  const recovery = { crashLoopStarts: 3, crashLoopWithin: '18s' }
  const options = { place, model, config: { recovery, turns: { attempts: 9 } } }
  const turnIds: string[] = []
  for (let start = 1; start <= 3; start += 1) {
    await using gateway = await startGateway(options)
    if (start === 1) for (const name of ['r1', 'r2']) turnIds.push((await gateway.api.turn(name, one)).body.turn.id)
    await until('they run', async () => (await gateway.api.turns('status=running')).length === 2)
    await gateway.kill()
  }
  const before = await holdfast<RecoveryReport>(place, 'recover', '--plan')
  expect(before).toMatchObject({ started: false, state: { resumes: 'off', crashLoop: true, uncleanStarts: 3 } })
  expect(before.todo.map((step) => [nameOf(step), step.turnId])).toEqual([
    ['wait', turnIds[1]],
    ['wait', turnIds[0]],
  ])

  model.turns = echo
  await using gateway = await startGateway(options)
  const { api } = gateway
  expect((await api.chat('a', one)).body.choices[0]?.message.content).toBe(answerTo(one))
  await until('it knows that it is in a crash loop', async () => (await stateOf(api)).crashLoop)
  expect(await stateOf(api)).toMatchObject({ resumes: 'off', uncleanStarts: 3 })
  expect((await api.send('GET', '/readyz')).status).toBe(200)
  expect(totalOf(await api.metrics(), 'holdfast_crash_loop')).toBe(1)
  await until('leases of the dead are gone', async () => (await api.turns('status=interrupted')).length === 2)
  const shown = await run(node, [bin, 'status', '--data', place.data], { cwd: place.path })
  expect(shown.stdout).toMatch(/^recovery {2}CRASH LOOP, nothing is resumed: .*, for another /m)
  const during = await holdfast<RecoveryReport>(place, 'recover', '--plan')
  expect(stepsOf(during.todo)).toEqual(stepsOf(before.todo))

  await untilSettled(api)
  for (const id of turnIds) expect((await turnOf(api, id)).status).toBe('done')
  expect(await stateOf(api)).toMatchObject({ resumes: 'on', crashLoop: false, resumed: 2 })
  expect(totalOf(await api.metrics(), 'holdfast_crash_loop')).toBe(0)
})

it('a long turn is handed over by SIGTERM however often, and never quarantined for it', async () => {
  await using place = await makePlace()
  await using model = await startModel(always({ kind: 'hang' }))
  const options = { place, model, config: { shutdown: { drain: '1s' }, turns: { grace: '200ms', attempts: 2 } } }
  let turnId = ''
  for (let start = 1; start <= 4; start += 1) {
    await using gateway = await startGateway(options)
    if (start === 1) turnId = (await gateway.api.turn('a', one)).body.turn.id
    await until('the model was asked', () => model.asked.length === start)
    expect(await gateway.stop()).toEqual({ code: 0, signal: null })
  }
  model.turns = echo
  await using gateway = await startGateway(options)
  await untilSettled(gateway.api)
  expect(await turnOf(gateway.api, turnId)).toMatchObject({ status: 'done', attempts: 5, handedOver: 4 })
  expect(await stateOf(gateway.api)).toMatchObject({ uncleanStarts: 0 })
})
