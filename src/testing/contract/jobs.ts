import assert from 'node:assert/strict'
import { type JobSpec, type Missed, runKeyOf } from '../../model/jobs.ts'
import type { Turn } from '../../model/turns.ts'
import type { PutJobInput, StartedJob, StartJobInput } from '../../store/jobs.ts'
import { allPages, type PromiseGroup, refused, type Scene, wordsOf } from './scene.ts'

/** A job of this id, due every minute. */
export function jobSpec(id: string, more: Partial<JobSpec> = {}): JobSpec {
  return {
    id,
    agentId: 'main',
    name: `Träume ${id} 🌊`,
    schedule: '* * * * *',
    timeZone: 'UTC',
    missed: 'once',
    messages: [{ role: 'user', content: `run ${id}` }],
    instructions: [{ role: 'system', content: 'be brief' }],
    params: { temperature: 0 },
    deliverTo: ['telegram:42'],
    enabled: true,
    ...more,
  }
}

export function jobPut(scene: Scene, id: string, more: Partial<PutJobInput> = {}): PutJobInput {
  return { job: jobSpec(id), nextAtMs: scene.nowMs, replace: false, jobsMax: 10, atMs: scene.nowMs, ...more }
}

const minuteMs = 60_000
type Due = NonNullable<StartJobInput['due']>

function starting(scene: Scene, id: string, due: Due | null, more: Partial<StartJobInput> = {}): StartJobInput {
  const turnId = scene.nextId('turn')
  const key = runKeyOf({ agentId: 'main', id }, turnId)
  const admission = scene.admission(key, `run ${id}`, { turnId, lane: 'cron', source: `cron:${id}` })
  return { id, due, runsKept: 100, admission, ...more }
}

/** For the due time that is next, and then the minute after. */
const dueNow = (atMs: number, missed: Missed | null = null): Due => ({
  atMs,
  expectedNextAtMs: atMs,
  nextAtMs: atMs + minuteMs,
  missed,
})

/** Fails unless a turn was started. */
async function start(scene: Scene, id: string, due: Due | null): Promise<StartedJob & { turn: Turn }> {
  const { job, turn } = await scene.store.startJob(starting(scene, id, due))
  assert.ok(turn !== null, 'a run should start')
  return { job, turn }
}

async function end(scene: Scene): Promise<void> {
  await scene.settle(await scene.claim(), 'done')
}

async function job(scene: Scene, id: string) {
  const found = await scene.store.readJob(id)
  assert.ok(found !== null, `there should be a job ${id}`)
  return found
}

export const jobPromises: PromiseGroup = {
  'is kept as it was given, also after the store was closed': async (scene) => {
    const put = await scene.store.putJob(jobPut(scene, 'a'))
    assert.deepEqual(put, {
      ...jobSpec('a'),
      createdAtMs: scene.nowMs,
      updatedAtMs: scene.nowMs,
      nextAtMs: scene.nowMs,
      lastDueAtMs: null,
      lastStartedAtMs: null,
      lastTurnId: null,
      lastStatus: null,
      missedTotal: 0,
      lastMissed: null,
      forgottenAtMs: 0,
    })
    await scene.reopen()
    assert.deepEqual(await scene.store.readJob('a'), put)
    assert.equal(await scene.store.readJob('b'), null)
  },
  'is listed in the order in which it was made, a page at a time': async (scene) => {
    for (const id of ['c', 'a', 'b']) await scene.store.putJob(jobPut(scene, id))
    const found = await allPages((after) => scene.store.listJobs({ limit: 2, ...after }))
    assert.deepEqual(
      found.map(({ id }) => id),
      ['c', 'a', 'b'],
    )
    await refused('CURSOR_INVALID', scene.store.listJobs({ limit: 1, after: 'nonsense' }))
  },
  'is not put in the place of another unless that is asked for': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    const { turn } = await start(scene, 'a', dueNow(scene.nowMs))
    scene.nowMs += 1
    const changed = jobSpec('a', { name: 'other', schedule: '0 4 * * *' })
    const other = jobPut(scene, 'a', { job: changed, nextAtMs: scene.nowMs + 7 })
    await refused('JOB_INVALID', scene.store.putJob(other))
    const { name, schedule, nextAtMs, lastTurnId, createdAtMs, updatedAtMs } = await scene.store.putJob({
      ...other,
      replace: true,
    })
    assert.deepEqual([name, schedule, nextAtMs, lastTurnId], ['other', '0 4 * * *', scene.nowMs + 7, turn.id])
    assert.deepEqual([createdAtMs, updatedAtMs], [scene.nowMs - 1, scene.nowMs])
  },
  'is refused over the limit, and changing one is not one more': async (scene) => {
    const jobsMax = 2
    await scene.store.putJob(jobPut(scene, 'a', { jobsMax }))
    await scene.store.putJob(jobPut(scene, 'b', { jobsMax }))
    await refused('JOB_LIMIT', scene.store.putJob(jobPut(scene, 'c', { jobsMax })))
    await scene.store.putJob(jobPut(scene, 'b', { jobsMax, replace: true }))
    await scene.store.removeJob({ id: 'a' })
    await scene.store.putJob(jobPut(scene, 'c', { jobsMax }))
  },
  'that is removed leaves its runs alone': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    const { turn } = await start(scene, 'a', dueNow(scene.nowMs))
    await scene.store.removeJob({ id: 'a' })
    assert.equal(await scene.store.readJob('a'), null)
    await refused('JOB_NOT_FOUND', scene.store.removeJob({ id: 'a' }))
    await refused('JOB_NOT_FOUND', scene.store.startJob(starting(scene, 'a', null)))
    await end(scene)
    assert.equal((await scene.turn(turn.id)).status, 'done')
    assert.deepEqual(wordsOf(await scene.entries(turn.sessionKey)), ['run a', 'done'])
  },
  'that is removed and made again remembers nothing': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    await start(scene, 'a', dueNow(scene.nowMs))
    await end(scene)
    await scene.store.removeJob({ id: 'a' })
    const made = await scene.store.putJob(jobPut(scene, 'a'))
    assert.deepEqual([made.lastTurnId, made.lastDueAtMs, made.lastStatus], [null, null, null])
    await start(scene, 'a', dueNow(scene.nowMs))
  },
  'is due from its millisecond on, the longest due first': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'later', { nextAtMs: scene.nowMs + 2 }))
    await scene.store.putJob(jobPut(scene, 'last', { nextAtMs: scene.nowMs + 3 }))
    await scene.store.putJob(jobPut(scene, 'first', { nextAtMs: scene.nowMs + 1 }))
    const due = async (afterMs: number) => {
      const { items, ...rest } = await scene.store.dueJobs({ atMs: scene.nowMs + afterMs, limit: 10 })
      return { due: items.map(({ id }) => id), ...rest }
    }
    assert.deepEqual(await due(0), { due: [], nextAtMs: scene.nowMs + 1, held: 0 })
    assert.deepEqual(await due(2), { due: ['first', 'later'], nextAtMs: scene.nowMs + 3, held: 0 })
    assert.deepEqual(await due(3), { due: ['first', 'later', 'last'], nextAtMs: null, held: 0 })
    assert.equal((await scene.store.dueJobs({ atMs: scene.nowMs + 9, limit: 2 })).items.length, 2)
  },
  'is not due while it is switched off': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    const off = await scene.store.switchJob({ id: 'a', enabled: false, nextAtMs: null, atMs: scene.nowMs })
    assert.deepEqual([off.enabled, off.nextAtMs], [false, null])
    assert.deepEqual(await scene.store.dueJobs({ atMs: scene.nowMs + 9, limit: 9 }), {
      items: [],
      nextAtMs: null,
      held: 0,
    })
    const on = await scene.store.switchJob({ id: 'a', enabled: true, nextAtMs: scene.nowMs + 5, atMs: scene.nowMs })
    assert.deepEqual([on.enabled, on.nextAtMs], [true, scene.nowMs + 5])
    await refused('JOB_NOT_FOUND', scene.store.switchJob({ id: 'b', enabled: true, nextAtMs: 1, atMs: scene.nowMs }))
  },

  'starts as a turn in a session of its own': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    const { job: after, turn } = await start(scene, 'a', dueNow(scene.nowMs))
    assert.equal(turn.sessionKey, `agent:main:cron:a:run:${turn.id}`)
    assert.deepEqual([turn.lane, turn.source, turn.status], ['cron', 'cron:a', 'queued'])
    assert.deepEqual(
      [after.lastDueAtMs, after.lastStartedAtMs, after.lastTurnId, after.lastStatus, after.nextAtMs],
      [scene.nowMs, scene.nowMs, turn.id, 'queued', scene.nowMs + minuteMs],
    )
    assert.equal((await scene.session(turn.sessionKey)).kind, 'cron-run')
    await end(scene)
    assert.equal((await job(scene, 'a')).lastStatus, 'done')
  },
  'does not start while its last run waits, runs or is to run again, however it was started': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    const first = await start(scene, 'a', null)
    const due = dueNow(scene.nowMs)
    const isHeld = async (status: string) => {
      const error = await refused('JOB_RUNNING', scene.store.startJob(starting(scene, 'a', due)))
      assert.equal(error.facts.turnId, first.turn.id)
      await refused('JOB_RUNNING', scene.store.startJob(starting(scene, 'a', null)))
      assert.deepEqual(await scene.store.dueJobs({ atMs: scene.nowMs, limit: 9 }), {
        items: [],
        nextAtMs: null,
        held: 1,
      })
      assert.equal((await job(scene, 'a')).lastStatus, status)
    }
    await isHeld('queued')
    await scene.claim()
    await isHeld('running')
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs: scene.nowMs })
    await isHeld('interrupted')
    await scene.store.cancelTurn({ turnId: first.turn.id, reason: 'enough', atMs: scene.nowMs })
    await start(scene, 'a', due)
  },
  'starts a due time once, whoever asks and whatever the clock says': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    const due = dueNow(scene.nowMs)
    await start(scene, 'a', due)
    await end(scene)
    const late = await scene.store.startJob(starting(scene, 'a', due))
    assert.deepEqual([late.turn, late.job.nextAtMs], [null, due.nextAtMs])
    const { nextAtMs } = await job(scene, 'a')
    assert.ok(
      await scene.store.moveJob({
        id: 'a',
        expectedNextAtMs: nextAtMs as number,
        nextAtMs: due.atMs,
        missed: null,
      }),
    )
    const again = await scene.store.startJob(starting(scene, 'a', due))
    assert.deepEqual([again.turn, again.job.nextAtMs], [null, due.nextAtMs])
    assert.equal((await scene.store.listTurns({ order: 'oldest', limit: 10 })).items.length, 1)
  },
  'does not start a due time whose start it may have forgotten': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    const beginMs = scene.nowMs
    for (let run = 0; run < 4; run += 1) {
      const input = starting(scene, 'a', dueNow(beginMs + run * minuteMs), { runsKept: 2 })
      assert.notEqual((await scene.store.startJob(input)).turn, null)
      await end(scene)
    }
    const { nextAtMs, forgottenAtMs } = await job(scene, 'a')
    assert.equal(forgottenAtMs, beginMs + minuteMs)
    const set = { id: 'a', expectedNextAtMs: nextAtMs as number, nextAtMs: beginMs, missed: null }
    await scene.store.moveJob(set)
    assert.equal((await scene.store.startJob(starting(scene, 'a', dueNow(beginMs)))).turn, null)
  },
  'does not start when it was changed since it was read': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    const due = dueNow(scene.nowMs)
    await scene.store.switchJob({ id: 'a', enabled: false, nextAtMs: null, atMs: scene.nowMs })
    assert.equal((await scene.store.startJob(starting(scene, 'a', due))).turn, null)
    assert.equal((await job(scene, 'a')).nextAtMs, null)
    const move = { id: 'a', expectedNextAtMs: due.atMs, nextAtMs: 7, missed: null }
    assert.equal(await scene.store.moveJob(move), false)
    await refused('JOB_NOT_FOUND', scene.store.moveJob({ ...move, id: 'b' }))
  },
  'that is started again after an unknown outcome is the same run': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    for (const due of [dueNow(scene.nowMs), null]) {
      const input = starting(scene, 'a', due)
      const first = await scene.store.startJob(input)
      assert.deepEqual(await scene.store.startJob(input), first)
      await end(scene)
      assert.equal((await scene.store.startJob(input)).turn?.status, 'done')
    }
    assert.equal((await scene.store.listTurns({ order: 'oldest', limit: 10 })).items.length, 2)
  },
  'that is started by hand is due as before': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a', { nextAtMs: scene.nowMs + 5 }))
    const { job: after } = await start(scene, 'a', null)
    assert.deepEqual([after.nextAtMs, after.lastDueAtMs], [scene.nowMs + 5, null])
  },
  'counts what was missed and says why': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    const missed = { count: 3, fromMs: 1, untilMs: 3, because: 'nothing ran' }
    await start(scene, 'a', dueNow(scene.nowMs, missed))
    const expectedNextAtMs = scene.nowMs + minuteMs
    const more = { ...missed, count: 2 }
    await scene.store.moveJob({ id: 'a', expectedNextAtMs, nextAtMs: 9e12, missed: more })
    const { missedTotal, lastMissed } = await job(scene, 'a')
    assert.deepEqual([missedTotal, lastMissed], [5, more])
  },
  'that cannot be admitted is due as before': async (scene) => {
    await scene.store.putJob(jobPut(scene, 'a'))
    const input = starting(scene, 'a', dueNow(scene.nowMs))
    const full = { ...input, admission: { ...input.admission, queuedMax: { session: 100, total: 0 } } }
    await refused('QUEUE_FULL', scene.store.startJob(full))
    const { nextAtMs, lastTurnId } = await job(scene, 'a')
    assert.deepEqual([nextAtMs, lastTurnId], [scene.nowMs, null])
    await start(scene, 'a', dueNow(scene.nowMs))
  },
}
