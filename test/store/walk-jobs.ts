import { type Job, runKeyOf } from '../../src/model/jobs.ts'
import type { StartJobInput } from '../../src/store/jobs.ts'
import type { Store } from '../../src/store/port.ts'
import type { AdmitInput } from '../../src/store/turns.ts'
import { jobSpec } from '../../src/testing/contract/jobs.ts'

/** Steps of a walk that are about jobs: what is called, made from numbers that choose. */

/** Few, so that they are often changed, started and removed. */
const idsOf = (walk: string): string[] => ['a', 'b'].map((name) => `${walk}-${name}`)
const idOf = (walk: string, who: number): string => idsOf(walk)[who % 2] as string

export function putJob(walk: string, who: number, how: number, atMs: number) {
  const enabled = how % 5 !== 0
  const job = jobSpec(idOf(walk, who), { agentId: walk, name: `n${how}`, enabled })
  const nextAtMs = enabled ? atMs + (how % 3) * 20 : null
  return (store: Store) =>
    store.putJob({ job, nextAtMs, replace: how % 2 === 0, jobsMax: 2 - (how % 13 === 0 ? 1 : 0), atMs })
}

export function switchJob(walk: string, who: number, how: number, atMs: number) {
  const enabled = how % 3 !== 0
  return (store: Store) => store.switchJob({ id: idOf(walk, who), enabled, nextAtMs: enabled ? atMs + 20 : null, atMs })
}

export const removeJob = (walk: string, who: number) => (store: Store) => store.removeJob({ id: idOf(walk, who) })

/** Some name another due time than the one that is next, and some one that was started before. */
export function moveJob(walk: string, who: number, how: number, atMs: number, job: Job | null) {
  const expectedNextAtMs = (job?.nextAtMs ?? 0) + (how % 4 === 0 ? 1 : 0)
  const missed = how % 2 === 0 ? null : { count: how, fromMs: 1, untilMs: 2, because: 'nothing ran' }
  const nextAtMs = how % 3 === 0 ? (job?.lastDueAtMs ?? atMs) : atMs + 20
  return (store: Store) => store.moveJob({ id: idOf(walk, who), expectedNextAtMs, nextAtMs, missed })
}

export function startJob(walk: string, who: number, how: number, job: Job | null, admission: AdmitInput) {
  const id = idOf(walk, who)
  const expectedNextAtMs = (job?.nextAtMs ?? 0) + (how % 7 === 0 ? 1 : 0)
  const due = { atMs: expectedNextAtMs, expectedNextAtMs, nextAtMs: expectedNextAtMs + 20, missed: null }
  const input: StartJobInput = {
    id,
    due: how % 3 === 0 ? null : due,
    runsKept: 2,
    admission: { ...admission, key: runKeyOf({ agentId: walk, id }, admission.turnId), lane: 'cron', onBusy: 'queue' },
  }
  return (store: Store) => store.startJob(input)
}

export const readJob = (walk: string, who: number) => (store: Store) => store.readJob(idOf(walk, who))

export async function removeAll(store: Store, walk: string): Promise<void> {
  for (const id of idsOf(walk)) if ((await store.readJob(id)) !== null) await store.removeJob({ id })
}
