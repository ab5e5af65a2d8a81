import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Scratch } from '../../../test/sqlite/scratch.ts'
import { parseSessionKey } from '../../model/keys.ts'
import { purgeAll } from '../../testing/contract/retention/moves.ts'
import type { Scene } from '../../testing/contract/scene.ts'

const program = new URL('../../../test/sqlite/snapshots.ts', import.meta.url).pathname
const megabyte = 1024 ** 2

/** A process of its own that reads through SQLite, until it is let go. */
async function reader(database: string, how: 'hold' | 'overlap'): Promise<AsyncDisposable> {
  const child = spawn(process.execPath, [program, database, how], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return {
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

const noise = () => randomBytes(megabyte).toString('base64')

/** Makes a session of about so many megabytes in the file, and deletes it for good: retention at work. */
async function comeAndGo(scene: Scene, name: string, megabytes: number): Promise<void> {
  const key = parseSessionKey(name)
  for (let count = 0; count < megabytes; count += 1) await scene.say(key, 'more', noise())
  await scene.store.deleteSession({ key, atMs: scene.nowMs })
  await purgeAll(scene.store, 100)
}

const logSize = ({ database }: Scratch) => statSync(`${database}-wal`).size

/** Writes until it holds; the test's own limit is the end of patience. */
async function writingUntil(scene: Scene, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    await scene.store.probe()
    await sleep(5)
  }
}

it('says that a reader pins the log, and brings it back when the reader has left, while writes go on', async () => {
  await using scratch = new Scratch()
  const scene = await scratch.scene()
  await scene.store.probe()
  {
    await using _ = await reader(scratch.database, 'hold')
    await comeAndGo(scene, 'a', 40)
    await writingUntil(scene, async () => (await scene.store.statistics()).logPinned)
    expect(logSize(scratch)).toBeGreaterThan(64 * megabyte)
    expect((await scene.store.statistics()).bytes.log).toBe(logSize(scratch))
  }
  await writingUntil(scene, async () => logSize(scratch) < megabyte && !(await scene.store.statistics()).logPinned)
  expect((await scene.store.verify({ quick: true, atMs: 1 })).ok).toBe(true)
})

it('keeps the log short though short readers leave it no gap', async () => {
  await using scratch = new Scratch()
  const scene = await scratch.scene()
  await scene.store.probe()
  await using _ = await reader(scratch.database, 'overlap')
  let longest = 0
  for (let round = 0; round < 12; round += 1) {
    await comeAndGo(scene, `s${round}`, 8)
    longest = Math.max(longest, logSize(scratch))
    await writingUntil(scene, async () => !(await scene.store.statistics()).logPinned)
  }
  // each round writes about 14 MB
  expect(longest).toBeLessThan(120 * megabyte)
})

it('gives the room of what was deleted back to the disk', async () => {
  await using scratch = new Scratch()
  const scene = await scratch.scene()
  await comeAndGo(scene, 'a', 20)
  const full = (await scene.store.statistics()).bytes
  const { freeBytes } = await scene.store.giveBack({ pagesMax: 500 })
  expect(full.free - freeBytes).toBeGreaterThanOrEqual(500 * 8192)
  await scene.store.giveBack({ pagesMax: 1_000_000 })
  const { bytes } = await scene.store.statistics()
  expect([bytes.free, bytes.database < full.database / 10]).toEqual([0, true])
})
