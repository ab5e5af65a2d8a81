import { describe, expect, it } from 'vitest'
import { Scratch } from '../../../test/sqlite/scratch.ts'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import { entriesToStore, requestToStore } from '../../relational/bodies.ts'
import { type WriteVerb, writeVerbs } from '../../relational/write-verbs.ts'
import { alice, bob, openLanes, penOf, type Scene } from '../../testing/contract/scene.ts'
import { type Connection, openForWriting } from '../database/connection.ts'
import { failures } from '../database/failures.ts'
import { verify } from '../keep/verify.ts'
import { runBatch, type SqliteWork } from './batch.ts'

const atMs = 1_750_000_000_000

const workOn = (db: Connection): SqliteWork => ({
  db,
  queue: { total: 0 },
  returning: new Set(),
  again: false,
  failures,
  requireRoom: () => {},
  lookForRoom: () => {},
})

/** One call in a batch of its own, as the writer makes it. */
function commit(work: SqliteWork, verb: string, input: unknown): unknown {
  const result = runBatch(work, [{ id: 1, verb, input }], (name) => writeVerbs[name as 'probe'] as WriteVerb)
  if (result.kind !== 'committed') throw new Error(result.kind)
  const [answer] = result.answers
  return answer?.ok ? answer.value : answer?.error
}

/** What can be asked of a session that runs a turn, with another waiting; each is given a fresh store. */
const asked: [string, (scene: Scene) => Promise<unknown>][] = [
  ['openSession', async () => ({ key: bob, atMs })],
  ['patchSession', async () => ({ key: alice, title: 'a title', pinned: true, atMs })],
  ['resetSession', async () => ({ key: alice, reason: 'new start', atMs })],
  [
    'appendEntries',
    async (scene) => ({
      ...penOf(await start(scene)),
      entries: entriesToStore([scene.entry('a'), scene.entry('b')]),
      atMs,
    }),
  ],
  [
    'admitTurn',
    async (scene) => {
      const input = scene.admission(alice, 'third')
      return { ...input, messages: JSON.stringify(input.messages), request: requestToStore(input.request) }
    },
  ],
  ['claimTurn', async () => ({ holder: { ...holder, id: 'h' }, rules: openLanes, atMs, claim: 'this call' })],
  [
    'settleTurn',
    async (scene) => {
      const input = scene.settling(penOf(await start(scene)), 'hi')
      return { ...input, entries: entriesToStore(input.entries) }
    },
  ],
  ['cancelTurn', async (scene) => ({ turnId: await waiting(scene), reason: 'enough', atMs })],
  ['revokeTurn', async (scene) => ({ turnId: (await start(scene)).turn.id, status: 'failed', outcome: stalled, atMs })],
  ['expireLeases', async (scene) => ({ holderIds: [(await start(scene)).turn.id, 'holder-1'], atMs })],
  ['recordProgress', async (scene) => ({ ...penOf(await start(scene)), note: 'reading', atMs })],
]

const holder = { id: 'h', host: 'here', bootId: null, pidNamespace: null, pid: 1, startTicks: null, sinceMs: 1 }
const stalled = recordOf(new HoldfastError('TURN_STALLED'))
const request = { instructions: [], params: {}, streaming: false, deliverTo: ['here'] }
const start = (scene: Scene) => scene.begin(alice, 'hello', { request })
const waiting = async (scene: Scene) => {
  await start(scene)
  return (await scene.admit(alice, 'second')).turn.id
}

describe('a batch whose outcome was unknown and that had been committed', () => {
  it.each(asked)('%s finds its own write and changes nothing more', async (verb, prepare) => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    if (['resetSession', 'patchSession', 'admitTurn'].includes(verb)) await waiting(scene)
    if (verb === 'claimTurn') await scene.admit(alice, 'hello')
    const input = await prepare(scene)
    await scene.store.close()

    const db = openForWriting(scratch.database, 'full')
    const work = workOn(db)
    const first = commit(work, verb, input)
    const state = stateOf(db)
    work.again = true
    const second = commit(work, verb, input)
    expect(stateOf(db)).toEqual(state)
    if (verb === 'admitTurn') expect(second).toEqual({ ...(first as object), repeated: true })
    else expect(second).toEqual(first)
    expect(verify(db, { quick: false, atMs }).ok).toBe(true)
    db.close()
  })
})

/** Every row that a repeated verb could have written twice. */
function stateOf(db: Connection) {
  const tables = ['session', 'transcript', 'entry', 'turn', 'inbound', 'lease', 'delivery', 'hidden']
  return tables.map((table) => db.all(`SELECT * FROM ${table}`))
}
