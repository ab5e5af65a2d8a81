import { describe, expect, it } from 'vitest'
import { type Fault, faulty } from '../../../test/engine/opened.ts'
import { Scheduled } from '../../../test/engine/scheduled.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

describe('a scheduled job', () => {
  it('runs at its times through weeks in which the clocks change, each time once', async () => {
    const at = await new Scheduled('2026-03-22T12:00:00Z').start()
    await at.put('30 2 * * *', { timeZone: 'Europe/Vienna' })
    await at.put('0 9 * * 1', { id: 'weekly', timeZone: 'Europe/Vienna' })
    await at.pass(10 * dayMs)
    const days = Array.from({ length: 10 }, (_, day) => new Date(Date.UTC(2026, 2, 23 + day)))
    const expected = days.map((day) => {
      const date = day.toISOString().slice(0, 10)
      return `${date}T${date === '2026-03-29' ? '01:00' : date < '2026-03-29' ? '01:30' : '00:30'}Z`
    })
    expect(at.due()).toEqual(expected)
    expect(at.due('weekly')).toEqual(['2026-03-23T08:00Z', '2026-03-30T07:00Z'])
    expect(at.runs.every(({ dueAtMs, startedAtMs }) => dueAtMs === startedAtMs)).toBe(true)
    expect(at.missed).toEqual([])
  }, 30_000)
  it('runs once in the night that has its hour twice', async () => {
    const at = await new Scheduled('2026-10-24T12:00:00Z').start()
    await at.put('30 2 * * *', { timeZone: 'Europe/Vienna' })
    await at.pass(2 * dayMs)
    expect(at.due()).toEqual(['2026-10-25T00:30Z', '2026-10-26T01:30Z'])
  })
  it('runs when it is added, changed, switched on, and not when it is switched off or removed', async () => {
    const at = await new Scheduled('2026-05-01T00:00:30Z').start()
    await at.pass(hourMs) // whoever sleeps long is woken by a change
    await at.put('* * * * * *')
    await at.pass(2 * secondMs)
    expect(at.runs).toHaveLength(2)
    await at.put('0 2 * * *', { replace: true })
    await at.pass(hourMs)
    expect(at.due().slice(2)).toEqual(['2026-05-01T02:00Z'])
    await at.jobs.switch('job', false)
    await at.pass(2 * dayMs)
    await at.jobs.switch('job', true)
    await at.pass(dayMs)
    expect(at.due().slice(3)).toEqual(['2026-05-04T02:00Z'])
    await at.jobs.remove('job')
    await at.pass(2 * dayMs)
    expect([at.runs.length, at.missed]).toEqual([4, []])
  }, 30_000)
  it('is not started a second time while its run goes on, and goes on when that ends', async () => {
    const at = await new Scheduled('2026-05-01T00:00:00Z').start()
    await at.put('* * * * *', { missed: 'skip' })
    at.holding = true
    await at.pass(10 * minuteMs + 5 * secondMs)
    expect(at.due()).toEqual(['2026-05-01T00:01Z'])
    await expect(at.jobs.run('job')).rejects.toMatchObject({ code: 'JOB_RUNNING' })
    await at.endRuns()
    expect(at.due().slice(1)).toEqual(['2026-05-01T00:10Z'])
    expect(at.missed).toEqual([{ jobId: 'job', count: 8 }])
    await at.pass(minuteMs)
    expect(at.due().slice(2)).toEqual(['2026-05-01T00:11Z'])
  })
  it('does not hold up another whose run has ended', async () => {
    const at = await new Scheduled('2026-05-01T00:00:00Z').start()
    at.holding = true
    for (let number = 0; number < 120; number += 1) await at.put('* * * * *', { id: `slow-${number}` })
    await at.pass(2 * minuteMs)
    expect(at.runs).toHaveLength(120)
    await at.put('* * * * *', { id: 'other' })
    await at.pass(minuteMs)
    expect(at.due('other')).toEqual(['2026-05-01T00:03Z'])
  })
  it('runs by hand besides its times, also while it is switched off', async () => {
    const at = await new Scheduled('2026-05-01T00:00:00Z').start()
    await at.put('0 1 * * *')
    await at.jobs.run('job')
    await at.jobs.switch('job', false)
    await at.jobs.run('job')
    await at.jobs.switch('job', true)
    await at.pass(hourMs)
    expect(at.runs.map(({ dueAtMs }) => dueAtMs !== null)).toEqual([false, false, true])
    await expect(at.jobs.run('nothing')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
  })
  it('does not run where jobs are switched off by the configuration', async () => {
    const at = await new Scheduled('2026-05-01T00:00:00Z', { cron: { enabled: false } }).start()
    await at.put('* * * * * *')
    await at.pass(hourMs)
    expect(at.runs).toEqual([])
  })
})

describe('after a gap of ten hours in which no process ran', () => {
  async function gap(missed: 'skip' | 'once' | 'all', restartAfterMs: number) {
    const at = await new Scheduled('2026-05-01T00:30:00Z', { cron: { missedMax: 4 } }).start()
    await at.put('0 * * * *', { missed })
    await at.pass(hourMs)
    await at.stop()
    await at.pass(restartAfterMs)
    await at.start()
    await at.pass(10)
    return { due: at.due().slice(1), missed: at.missed.map(({ count }) => count), at }
  }

  it('runs are skipped, and told', async () => {
    const { due, missed, at } = await gap('skip', 10 * hourMs)
    expect([due, missed]).toEqual([[], [10]])
    await at.pass(hourMs)
    expect(at.due().slice(1)).toEqual(['2026-05-01T12:00Z'])
  })
  it('the last one is made when it is not late', async () => {
    const { due, missed } = await gap('skip', 9 * hourMs + 30 * minuteMs + 5 * secondMs)
    expect([due, missed]).toEqual([['2026-05-01T11:00Z'], [9]])
  })
  it('one run stands for all', async () => {
    const { due, missed } = await gap('once', 10 * hourMs)
    expect([due, missed]).toEqual([['2026-05-01T11:00Z'], [9]])
  })
  it('as many as allowed are made up for, one after another, and the rest is told', async () => {
    const { due, missed } = await gap('all', 10 * hourMs)
    expect(due).toEqual(['2026-05-01T08:00Z', '2026-05-01T09:00Z', '2026-05-01T10:00Z', '2026-05-01T11:00Z'])
    expect(missed).toEqual([6])
  })
})

describe('when the wall clock is set', () => {
  const due = (at: Scheduled) => at.runs.map(({ dueAtMs }) => dueAtMs)

  it('back, no due time is started a second time, and the next ones are', async () => {
    const at = await new Scheduled('2026-05-01T00:00:00Z').start()
    await at.put('* * * * *')
    await at.pass(10 * minuteMs)
    at.clock.jumpWall(-7 * minuteMs)
    await at.pass(7 * minuteMs)
    expect(at.runs).toHaveLength(10)
    await at.pass(2 * minuteMs)
    expect(at.runs).toHaveLength(12)
    expect(new Set(due(at)).size).toBe(12)
  })
  it('a year forward and back, the job goes on at once', async () => {
    const at = await new Scheduled('2026-05-01T00:00:00Z').start()
    await at.put('* * * * *')
    await at.pass(3 * minuteMs)
    at.clock.jumpWall(365 * dayMs)
    await at.pass(2 * minuteMs)
    at.clock.jumpWall(-365 * dayMs)
    const before = at.runs.length
    await at.pass(5 * minuteMs)
    expect(at.runs.length - before).toBeGreaterThanOrEqual(4)
    expect(new Set(due(at)).size).toBe(at.runs.length)
    expect(at.due().at(-1)).toBe('2026-05-01T00:10Z')
  })
  it('back while no process ran, neither', async () => {
    const at = await new Scheduled('2026-05-01T12:00:00Z').start()
    await at.put('0 * * * *')
    await at.pass(3 * hourMs)
    await at.stop()
    at.clock.jumpWall(-2 * hourMs)
    await at.start()
    await at.pass(3 * hourMs)
    expect(at.due()).toEqual(['2026-05-01T13:00Z', '2026-05-01T14:00Z', '2026-05-01T15:00Z', '2026-05-01T16:00Z'])
  })
})

describe('while the store cannot write', () => {
  it('a clock that fell back is not forgotten', async () => {
    const faults: Fault[] = []
    const at = await new Scheduled('2026-05-01T00:00:00Z', {}, (open) => faulty(open, faults)).start()
    await at.put('0 * * * *')
    at.clock.jumpWall(dayMs)
    await at.pass(minuteMs)
    at.clock.jumpWall(-dayMs)
    faults.push({ verb: 'moveJob', times: 5, code: 'STORE_FULL' })
    await at.pass(hourMs)
    expect(at.due().at(-1)).toBe('2026-05-01T01:00Z')
  })
  it('jobs are tried again, and each due time is started once', async () => {
    const faults: Fault[] = []
    const at = await new Scheduled('2026-05-01T00:00:00Z', {}, (open) => faulty(open, faults)).start()
    await at.put('* * * * *', { missed: 'all' })
    faults.push({ verb: 'startJob', times: 40, code: 'STORE_FULL' })
    await at.pass(2 * minuteMs)
    expect([at.runs.length, at.trouble]).toEqual([0, 'STORE_FULL'])
    await at.pass(10 * minuteMs)
    expect(at.trouble).toBeNull()
    expect(at.due()).toHaveLength(12)
  })
  it('a start whose outcome is unknown is not made again', async () => {
    const faults: Fault[] = []
    const at = await new Scheduled('2026-05-01T00:00:00Z', {}, (open) => faulty(open, faults)).start()
    await at.put('* * * * *')
    faults.push({ verb: 'startJob', times: 1, code: 'STORE_IO', after: true })
    await at.pass(90 * secondMs)
    const { items } = await at.store.listTurns({ order: 'oldest', limit: 10 })
    expect(items).toHaveLength(1)
  })
})

it('a job whose zone is gone from the system is told, and does not hold up the others', async () => {
  const at = await new Scheduled('2026-05-01T00:00:00Z').start()
  await at.put('* * * * *', { id: 'a' })
  const stored = await at.jobs.read('a')
  const job = { ...stored, timeZone: 'Europe/Atlantis' }
  await at.store.putJob({ job, nextAtMs: at.clock.nowMs() + 1, replace: true, jobsMax: 9, atMs: at.clock.nowMs() })
  await at.put('* * * * *', { id: 'b' })
  await at.pass(2 * minuteMs)
  expect([at.due('a'), at.due('b').length]).toEqual([[], 2])
  expect(await at.jobs.read('a')).toMatchObject({
    ...{ nextAtMs: null, missedTotal: 1, lastMissed: { because: expect.stringContaining('no time zone') } },
  })
})

it('a full queue holds up the jobs, not the gateway', async () => {
  const at = await new Scheduled('2026-05-01T00:00:00Z', {
    turns: { queuedMax: { session: 1, total: 0 } },
  }).start()
  await at.put('* * * * *')
  await at.pass(2 * minuteMs)
  expect([at.runs, at.trouble, (await at.jobs.read('job')).nextAtMs]).toEqual([[], null, at.clock.nowMs() - minuteMs])
})

describe('a job is refused', () => {
  const put = async (more: object) => {
    const at = await new Scheduled('2026-05-01T00:00:00Z', { cron: { jobsMax: 2 } }).start()
    return at.jobs.put({ name: 'job', schedule: '* * * * *', messages: 'go', ...more })
  }

  it.each([
    [{ schedule: '0 0 30 2 *' }, 'never due'],
    [{ timeZone: 'Europe/Atlantis' }, 'no time zone'],
    [{ name: ' ' }, 'a name has'],
    [{ name: 'x'.repeat(201) }, 'a name has'],
    [{ id: 'Not An Id' }, 'an id has'],
    [{ id: 'subagent' }, 'another kind of session'],
    [{ agentId: '../x' }, 'cannot be an agent'],
    [{ agentId: 'a'.repeat(200) }, 'cannot be an agent'], // with the id of a run the key would be too long
    [{ missed: 'maybe' }, 'missed must be'],
    [{ messages: [] }, 'no new message'],
    [{ messages: 'x '.repeat(40_000), name: 'big' }, '65536 bytes'],
    [{ deliverTo: [''] }, 'delivery targets'],
  ])('with %o', async (more, because) => {
    await expect(put(more)).rejects.toMatchObject({ code: 'JOB_INVALID', message: expect.stringContaining(because) })
  })
  it('when it could not be shown to the model', async () => {
    await expect(put({ messages: 'a b c d '.repeat(7_900) })).rejects.toMatchObject({ code: 'CONTEXT_TOO_LARGE' })
  })
  it('over the limit, and one with the same name gets an id of its own', async () => {
    const at = await new Scheduled('2026-05-01T00:00:00Z', { cron: { jobsMax: 2 } }).start()
    const job = { name: 'Same name', schedule: '* * * * *', messages: 'go' }
    const [one, other] = [await at.jobs.put(job), await at.jobs.put(job)]
    expect([one.id, other.id]).toEqual(['same-name', expect.stringMatching(/^same-name-[0-9a-f]{4}$/)])
    await expect(at.jobs.put(job)).rejects.toMatchObject({ code: 'JOB_LIMIT' })
    await expect(at.jobs.put({ ...job, id: 'same-name' })).rejects.toMatchObject({ code: 'JOB_INVALID' })
  })
})
