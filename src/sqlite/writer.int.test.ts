import { describe, expect, it } from 'vitest'
import { Scratch } from '../../test/sqlite/scratch.ts'
import type { ErrorRecord } from '../model/errors.ts'
import { parseSessionKey } from '../model/keys.ts'
import { alice, bob, holderNamed, openLanes, refused } from '../testing/contract/scene.ts'
import { sqliteStore } from './open.ts'

const holder = holderNamed('holder-1')
const none = { session: 0, total: 0 }
const keys = Array.from({ length: 200 }, (_, index) => parseSessionKey(`many-${index}`))

describe('the writer', () => {
  it('commits many verbs at once', async () => {
    await using scratch = new Scratch()
    const commits: number[] = []
    const telemetry = {
      verb: () => {},
      writable: () => {},
      commit: (_ms: number, verbs: number) => void commits.push(verbs),
    }
    const store = await sqliteStore(scratch.data, { diskReserveBytes: 0 })({ holder, telemetry, atMs: 1 })
    await Promise.all(keys.map((key) => store.openSession({ key, atMs: 1 })))
    expect(commits.reduce((sum, verbs) => sum + verbs, 0)).toBe(keys.length)
    expect(commits.length).toBeLessThan(5)
    await store.close()
  })

  it('takes back only the verb that refuses, not its neighbours in the commit', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    const claim = await scene.begin(alice, 'hello')
    const good = scene.settling({ key: alice, turnId: claim.turn.id, fence: claim.fence, head: claim.head }, 'hi')
    const results = await Promise.allSettled([
      scene.store.settleTurn({ ...good, fence: claim.fence - 1 }),
      scene.store.settleTurn(good),
      scene.store.commitSummary({
        ...{ key: alice, transcript: 9, baseId: null, uptoSeq: 1, kind: 'model', text: 'no', tokens: 1, atMs: 1 },
      }),
      scene.store.admitTurn(scene.admission(bob, 'refused after its session was opened', { queuedMax: none })),
      scene.store.openSession({ key: keys[0] as typeof alice, atMs: 1 }),
    ])
    const kept = results.map(({ status }) => status === 'fulfilled')
    expect(kept).toEqual([false, true, false, false, true])
    expect([await scene.store.readSession(bob), (await scene.turn(claim.turn.id)).status]).toEqual([null, 'done'])
    expect(await scene.store.readSession(keys[0] as typeof alice)).not.toBeNull()
    expect((await scene.store.verify({ quick: false, atMs: 1 })).ok).toBe(true)
  })

  it('answers what was called before a close, and closes once', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    const opened = scene.store.openSession({ key: alice, atMs: 1 })
    await Promise.all([scene.store.close(), scene.store.close()])
    await expect(opened).resolves.toMatchObject({ key: alice })
    await refused('STORE_CLOSED', scene.store.readSession(alice))
  })
})

describe('below the disk reserve', () => {
  it('nothing new is taken, running work ends, and the change is told once', async () => {
    await using scratch = new Scratch()
    const before = await scratch.scene()
    const claim = await before.begin(alice, 'hello')
    const waiting = await before.admit(alice, 'more', { dedupeKey: 'once' })
    await before.store.close()

    const told: [boolean, ErrorRecord | null][] = []
    const telemetry = {
      verb: () => {},
      commit: () => {},
      writable: (writable: boolean, because: ErrorRecord | null) => void told.push([writable, because]),
    }
    const openStore = sqliteStore(scratch.data, { diskReserveBytes: Number.MAX_SAFE_INTEGER })
    const store = await openStore({ holder, telemetry, atMs: 1 })
    await refused('STORE_FULL', store.openSession({ key: keys[0] as typeof alice, atMs: 2 }))
    await refused('STORE_FULL', store.admitTurn(before.admission(alice, 'not now')))
    await refused('STORE_FULL', store.probe())
    const repeated = await store.admitTurn(before.admission(alice, 'more', { dedupeKey: 'once' }))
    expect(repeated).toMatchObject({ repeated: true, turn: { id: waiting.turn.id } })
    const pen = { key: alice, turnId: claim.turn.id, fence: claim.fence, head: claim.head }
    expect((await store.settleTurn(before.settling(pen, 'hi'))).status).toBe('done')
    await refused('STORE_FULL', store.claimTurn({ holder, rules: openLanes, atMs: 3 }))
    const cancelled = await store.cancelTurn({ turnId: waiting.turn.id, reason: 'enough', atMs: 4 })
    expect(cancelled.status).toBe('cancelled')
    expect((await store.statistics()).writable).toBe(false)
    expect(told.map(([writable, because]) => [writable, because?.code])).toEqual([[false, 'STORE_FULL']])
    await store.close()
  })
})
