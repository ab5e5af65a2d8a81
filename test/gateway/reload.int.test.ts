import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LanesReport } from '../../src/engine/watch/lanes.ts'
import { readUntil } from '../http/gateway.ts'
import { gateBefore } from './harness/gate.ts'
import { markOf } from './harness/history.ts'
import { echo } from './harness/model.ts'
import { makeStand, type Stand } from './harness/stand.ts'
import { until, untilSettled } from './harness/wait.ts'

const gate = gateBefore(echo)
let stand: Stand
beforeAll(async () => {
  stand = await makeStand({ lanes: { cron: { concurrency: 1 } }, log: { level: 'info' } }, gate.behaviour)
})
afterAll(() => stand[Symbol.asyncDispose]())

const file = () => join(stand.place.path, 'holdfast.json5')
const change = async (over: Record<string, unknown>) => {
  const config = JSON.parse(await readFile(file(), 'utf8'))
  await writeFile(file(), JSON.stringify({ ...config, ...over }))
}
const hangUp = () => process.kill(stand.gateway.pid, 'SIGHUP')
const cron = async () =>
  (await stand.api.get<LanesReport>('/v1/lanes')).lanes.find(({ lane }) => lane === 'cron') as LanesReport['lanes'][0]

it('SIGHUP raises the concurrency of a lane, and what waited starts', async () => {
  const { api, gateway } = stand
  for (const session of ['one', 'two', 'three', 'four'])
    await api.turn(session, markOf(session, 1), { lane: 'cron', source: 'job' })
  await until('one runs', () => gate.waiting.length === 1)
  expect(await cron()).toMatchObject({
    ...{ concurrency: 1, running: 1, waiting: 3 },
    oldest: { cause: 'lane' },
    sources: [{ source: 'job', waiting: 3 }],
  })
  await change({ lanes: { sourceShare: 1, cron: { concurrency: 3 } }, server: { port: 1 } })
  hangUp()
  await until('three run', () => gate.waiting.length === 3)
  expect(await cron()).toMatchObject({ concurrency: 3, running: 3, waiting: 1 })
  expect(gateway.log()).toContain('lanes.cron.concurrency')
  expect(gateway.log()).toContain('"needsRestart":[]') // the flag --port wins over the file
})

it('a file that is not valid changes nothing, and the gateway goes on', async () => {
  const { api, gateway } = stand
  const valid = await readFile(file(), 'utf8')
  for (const broken of ['{ lanes: ', '{ lanes: { slots: 5, userSlots: 5 } }', '{ turns: { grace: "soon" } }']) {
    const refusals = gateway.log().split('Nothing has changed.').length
    await writeFile(file(), broken)
    hangUp()
    await until('it was told', () => gateway.log().split('Nothing has changed.').length > refusals)
  }
  expect(await cron()).toMatchObject({ concurrency: 3, running: 3 })
  const events = await api.open('GET', '/v1/events', undefined, { headers: { 'last-event-id': 'another-1' } })
  expect(await readUntil(events, 'event: config.refused')).toContain('event: config.reloaded')
  gate.open()
  await untilSettled(api)
  await writeFile(file(), valid)
})

it('the API does the same over the local socket, names what needs a restart, and is refused over the network', async () => {
  const { api, place } = stand
  await change({ log: { level: 'debug' }, watch: { stuckAfter: '9s' } })
  expect(await api.post('/v1/reload')).toMatchObject({ status: 403, body: { error: { code: 'HOST_REFUSED' } } })
  const { holdfast } = await import('../cli/program.ts')
  const { stdout, code } = await holdfast(['config', 'reload', '--json', '--data', place.data], { cwd: place.path })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({ applied: ['watch.stuckAfter'], needsRestart: ['log.level'] })
})
