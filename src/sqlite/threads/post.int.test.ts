import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, it } from 'vitest'
import { Scratch } from '../../../test/sqlite/scratch.ts'
import { alice, bob, holderNamed, openLanes, refused } from '../../testing/contract/scene.ts'
import { sqliteStore } from '../open.ts'

/** Node tells of every thread that this process starts. */
const threads: Worker[] = []
const note = (message: unknown) => void threads.push((message as { worker: Worker }).worker)
subscribe('worker_threads', note)
afterAll(() => unsubscribe('worker_threads', note))

/** Ends the newest thread with this role, as a fault in it would. */
async function kill(role: 'writer' | 'reader' | 'keeper'): Promise<void> {
  const index = threads.findLastIndex(({ threadName }) => threadName === `holdfast ${role}`)
  const [thread] = threads.splice(index, 1)
  await thread?.terminate()
}

async function opened(scratch: Scratch) {
  const told: [boolean, string | null][] = []
  const telemetry = {
    verb: () => {},
    commit: () => {},
    writable: (writable: boolean, because: { code: string } | null) =>
      void told.push([writable, because?.code ?? null]),
  }
  const open = sqliteStore(scratch.data, { diskReserveBytes: 0 })
  return { store: await open({ holder: holderNamed('holder-1'), telemetry, atMs: 1 }), told }
}

const eventually = { timeout: 20_000 }

describe('a thread that ends unexpectedly', () => {
  it('as the reader is replaced, and nobody who read notices', async () => {
    await using scratch = new Scratch()
    const { store } = await opened(scratch)
    await store.openSession({ key: alice, atMs: 1 })
    const [found] = await Promise.all([store.readSession(alice), kill('reader')])
    expect(found?.key).toBe(alice)
    expect((await store.readSession(alice))?.key).toBe(alice)
    await store.close()
  })

  it('as the keeper is replaced, also when it ends again', async () => {
    await using scratch = new Scratch()
    const { store } = await opened(scratch)
    const report = await store.verify({ quick: true, atMs: 1 })
    for (let count = 0; count < 3; count += 1) {
      const broken = store.verify({ quick: true, atMs: 1 })
      await Promise.all([refused('STORE_IO', broken), kill('keeper')])
      await expect
        .poll(
          () =>
            store.verify({ quick: true, atMs: 1 }).then(
              ({ ok }) => ok,
              () => null,
            ),
          eventually,
        )
        .toBe(report.ok)
    }
    await store.close()
  })

  it('as the keeper, because it cannot open the database, is begun again until it can', async () => {
    await using scratch = new Scratch()
    const { store } = await opened(scratch)
    const aside = `${scratch.database}.aside`
    renameSync(scratch.database, aside)
    mkdirSync(scratch.database)
    for (let count = 0; count < 3; count += 1) await refused('STORE_IO', store.verify({ quick: true, atMs: 1 }))
    rmdirSync(scratch.database)
    renameSync(aside, scratch.database)
    const verified = () =>
      store.verify({ quick: true, atMs: 1 }).then(
        ({ ok }) => ok,
        () => null,
      )
    await expect.poll(verified, eventually).toBe(true)
    await store.close()
  })

  it('as the writer leaves its calls with an unknown outcome, and the store can write again by itself', async () => {
    await using scratch = new Scratch()
    const { store, told } = await opened(scratch)
    await store.openSession({ key: alice, atMs: 1 })
    const broken = store.openSession({ key: bob, atMs: 1 })
    await Promise.all([refused('STORE_IO', broken), kill('writer')])
    await expect
      .poll(() => told, eventually)
      .toEqual([
        [false, 'STORE_IO'],
        [true, null],
      ])
    expect((await store.openSession({ key: bob, atMs: 1 })).key).toBe(bob)
    expect((await store.statistics()).writable).toBe(true)
    expect((await store.verify({ quick: false, atMs: 1 })).ok).toBe(true)
    await store.close()
    expect(existsSync(join(scratch.data, 'owner.json'))).toBe(false)
  })

  it('as the writer in the middle of a claim has not taken a turn that nobody runs', async () => {
    await using scratch = new Scratch()
    const { store } = await opened(scratch)
    const scene = { holder: holderNamed('holder-1'), rules: openLanes, atMs: 1 }
    await store.openSession({ key: alice, atMs: 1 })
    await Promise.all([refused('STORE_IO', store.claimTurn(scene)), kill('writer')])
    await expect.poll(() => store.claimTurn(scene).catch(() => 'refused'), eventually).toBeNull()
    await store.close()
  })

  it('as the writer, while it cannot come back, leaves a store that reads and says why it does not write', async () => {
    await using scratch = new Scratch()
    const { store, told } = await opened(scratch)
    await store.openSession({ key: alice, atMs: 1 })
    const lock = join(scratch.data, 'owner.lock')
    rmSync(lock)
    mkdirSync(lock) // nobody can take the directory now
    await kill('writer')
    await expect.poll(() => told.length, eventually).toBeGreaterThan(2)
    expect(new Set(told.map(([writable]) => writable))).toEqual(new Set([false]))
    const { message } = await refused('STORE_IO', store.openSession({ key: bob, atMs: 1 }))
    expect(message).toContain('unable to open database file')
    expect((await store.readSession(alice))?.key).toBe(alice)
    rmdirSync(lock)
    await expect.poll(() => told.at(-1), eventually).toEqual([true, null])
    expect((await store.openSession({ key: bob, atMs: 1 })).key).toBe(bob)
    await store.close()
  })
})
