import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Job } from '../../src/model/jobs.ts'
import type { Turn } from '../../src/model/turns.ts'
import type { Api } from './harness/api.ts'
import { type GatewayOptions, makePlace, type Place, startGateway } from './harness/gateway.ts'
import { always, echo, startModel } from './harness/model.ts'
import { until, untilSettled } from './harness/wait.ts'

const add = async (api: Api, job: Partial<Job> & { id: string }) => {
  const { status, body } = await api.post('/v1/cron', { name: job.id, schedule: '* * * * * *', text: 'go', ...job })
  expect({ status, body }).toMatchObject({ status: 200 })
}
const read = (api: Api, id: string) => api.get<Job>(`/v1/cron/${id}`)

/** Runs of a job in the order of their admission. */
async function runsOf(api: Api, id: string): Promise<Turn[]> {
  return (await api.turns('')).filter(({ source }) => source === `cron:${id}`)
}

/** Two runs of a job must not have run at the same time. */
function overlaps(runs: readonly Turn[]): Turn[] {
  return runs.filter((run, index) => {
    const before = runs[index - 1]
    return before !== undefined && run.admittedAtMs < (before.settledAtMs ?? Number.POSITIVE_INFINITY)
  })
}

/** How many due times were started, and how many turns that has made. */
function startsIn(place: Place, id: string): { dueTimes: number; turns: number } {
  const database = new DatabaseSync(join(place.data, 'holdfast.sqlite'), { readOnly: true })
  const count = (sql: string, ...values: string[]) => Number(database.prepare(sql).get(...values)?.count)
  const dueTimes = count('SELECT count(*) AS count FROM job_run')
  const turns = count('SELECT count(*) AS count FROM turn WHERE source = ?', `cron:${id}`)
  database.close()
  return { dueTimes, turns }
}

it('runs a job every second, through kills and restarts, no due time twice and no two runs at once', async () => {
  await using place = await makePlace()
  await using model = await startModel(echo)
  const options: GatewayOptions = { place, model }
  for (let life = 0; life < 2; life += 1) {
    await using gateway = await startGateway(options)
    if (life === 0) await add(gateway.api, { id: 'every-second' })
    const before = (await runsOf(gateway.api, 'every-second')).length
    await until('it has run twice', async () => (await runsOf(gateway.api, 'every-second')).length >= before + 2)
    await gateway.kill()
  }
  await using last = await startGateway(options)
  await last.api.send('PATCH', '/v1/cron/every-second', { enabled: false })
  await untilSettled(last.api)
  const runs = await runsOf(last.api, 'every-second')
  expect(overlaps(runs)).toEqual([])
  expect(runs.map(({ status }) => status)).toEqual(runs.map(() => 'done'))
  await last.stop()
  expect(startsIn(place, 'every-second')).toEqual({ dueTimes: runs.length, turns: runs.length })
})

it('does not start a run while the one before goes on, nor after a kill in the middle of it', async () => {
  await using place = await makePlace()
  await using model = await startModel(always({ kind: 'hang' }))
  const options: GatewayOptions = { place, model, config: { turns: { grace: '200ms' } } }
  {
    await using first = await startGateway(options)
    await add(first.api, { id: 'slow', missed: 'skip' })
    await until('the model was asked', () => model.asked.length === 1)
    await until('another due time has passed', async () => {
      const { nextAtMs } = await read(first.api, 'slow')
      return Date.now() > (nextAtMs as number) + 500
    })
    const refused = await first.api.post<{ error: { code: string } }>('/v1/cron/slow/run')
    expect([refused.status, refused.body.error.code]).toEqual([409, 'JOB_RUNNING'])
    expect(await runsOf(first.api, 'slow')).toHaveLength(1)
    await first.kill()
  }
  const held = Promise.withResolvers<void>()
  model.turns = async (asked) => {
    await held.promise
    return echo(asked)
  }
  await using second = await startGateway(options)
  await until('the run goes on', () => model.asked.length === 2)
  expect(await runsOf(second.api, 'slow')).toHaveLength(1)
  held.resolve()
  await until('the next run starts', async () => (await runsOf(second.api, 'slow')).length > 1)
  await second.api.send('DELETE', '/v1/cron/slow')
  const runs = await runsOf(second.api, 'slow')
  expect([runs[0]?.attempts, overlaps(runs)]).toEqual([2, []])
})

it('makes up for a gap by the policy of each job', async () => {
  await using place = await makePlace()
  await using model = await startModel(echo)
  const options: GatewayOptions = { place, model, config: { cron: { missed: 3, lateMax: '1s' } } }
  const jobs = ['skip', 'once', 'all'] as const
  {
    await using first = await startGateway(options)
    for (const missed of jobs) await add(first.api, { id: missed, missed })
    await until('each has run', async () => {
      const found = await Promise.all(jobs.map((id) => runsOf(first.api, id)))
      return found.every(({ length }) => length > 0)
    })
    await first.kill()
  }
  await sleep(5_000) // more due times than `missed` allows to be made up for
  await using second = await startGateway(options)
  const told = async (id: string) => (await read(second.api, id)).missedTotal
  await until('gaps were dealt with', async () => (await Promise.all(jobs.map(told))).every((count) => count > 0))
  const [skip, once, all] = await Promise.all(jobs.map((id) => read(second.api, id)))
  expect(skip?.lastMissed?.because).toMatch(/nothing could start/)
  expect(once?.lastMissed?.because).toBe('one run stands for all of them')
  expect(all?.lastMissed?.because).toBe('more than 3 runs were missed')
})
