import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { keyOf } from './harness/api.ts'
import { gateBefore } from './harness/gate.ts'
import { answerTo, markOf } from './harness/history.ts'
import { totalOf } from './harness/metrics.ts'
import { always, echo } from './harness/model.ts'
import { makeStand, type Stand } from './harness/stand.ts'
import { until } from './harness/wait.ts'

const stuckAfterMs = 2_000
/** A token every 200 ms, for three times as long as a silence may last. */
const steady = always({ kind: 'pieces', pieces: Array.from({ length: 30 }, (_, n) => `word${n} `), everyMs: 200 })
const silent = always({ kind: 'hang midway', pieces: ['half an '] })

let stand: Stand
beforeAll(async () => {
  stand = await makeStand({ watch: { stuckAfter: '2s', wedgedAfter: '2s' }, log: { level: 'info' } })
})
afterAll(() => stand[Symbol.asyncDispose]())

const logged = () =>
  stand.gateway
    .log()
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []))
const stuckLines = (session: string) =>
  logged().filter(({ msg, sessionKey }) => sessionKey === keyOf(session) && String(msg).startsWith('a turn is stuck'))

it('a long stream is never called stuck; a silent turn is, once, while messages come to its session and to others', async () => {
  const { api, model } = stand
  model.of.set('steady', { turns: steady })
  model.of.set('silent', {
    turns: (asked) => (asked.messages.at(-1)?.content === markOf('silent', 1) ? silent(asked) : echo(asked)),
  })
  const long = api.chat('steady', markOf('steady', 1))
  const { body: hung } = await api.turn('silent', markOf('silent', 1))
  let sent = 1
  while (stuckLines('silent').length === 0) {
    sent += 1
    await api.turn('silent', markOf('silent', sent))
    const { body } = await api.chat('other', markOf('other', sent))
    expect(body.choices[0]?.message.content).toBe(answerTo(markOf('other', sent)))
    await sleep(50)
  }
  const why = await api.get<{ running: { stuck: boolean; lastProgressNote: string }; queue: { waiting: number } }>(
    `/v1/sessions/${keyOf('silent')}/why`,
  )
  expect(why).toMatchObject({ running: { stuck: true, turn: { id: hung.turn.id } }, queue: { waiting: sent - 1 } })
  expect(totalOf(await api.metrics(), 'holdfast_stuck_turns')).toBe(1)

  const { status } = await long
  expect(status).toBe(200)
  await sleep(stuckAfterMs)
  expect(stuckLines('steady')).toEqual([])
  expect(stuckLines('silent')).toHaveLength(1)
  expect(stuckLines('silent')[0]).toMatchObject({ level: 40, turnId: hung.turn.id, lane: 'main' })

  const { body: released } = await api.post<{ turn: { status: string } }>(`/v1/sessions/${keyOf('silent')}/release`, {
    reason: 'it hangs',
  })
  expect(released).toMatchObject({
    turn: { id: hung.turn.id, status: 'failed', outcome: { code: 'TURN_RELEASED' }, cancelRequested: 'it hangs' },
  })
  await until('what waited was answered', async () => (await api.session('silent')).queuedTurns === 0)
  await until('its end was told', () => logged().some(({ msg }) => msg === 'a stuck turn has ended'))
  expect(totalOf(await api.metrics(), 'holdfast_stuck_turns')).toBe(0)
  const turns = await api.turns(`session=${encodeURIComponent(keyOf('silent'))}`)
  expect(turns.map((turn) => turn.status)).toEqual(['failed', ...Array.from({ length: sent - 1 }, () => 'done')])
  expect(logged().filter(({ msg }) => String(msg).includes('wedged'))).toEqual([])
})

it('after the process was stopped for longer than every limit, nobody is blamed', async () => {
  const { api, model, gateway } = stand
  const gate = gateBefore(echo)
  model.of.set('slow', { turns: gate.behaviour })
  const answer = api.chat('slow', markOf('slow', 1))
  await until('the model was asked', () => gate.waiting.length === 1)
  await sleep(1_000) // its silence has begun, and is not over the limit
  const before = logged().length
  process.kill(gateway.pid, 'SIGSTOP')
  await sleep(5_000)
  process.kill(gateway.pid, 'SIGCONT')
  await sleep(300) // time to blame it
  gate.open()
  expect((await answer).status).toBe(200)
  await sleep(stuckAfterMs)
  const alarms = logged()
    .slice(before)
    .filter(({ msg }) => /stuck|wedged|stalled/.test(String(msg)))
  expect(alarms).toEqual([])
  expect(totalOf(await api.metrics(), 'holdfast_loop_wedged_total')).toBe(0)
})
