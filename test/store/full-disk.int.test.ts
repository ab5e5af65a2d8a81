import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { isHoldfastError } from '../../src/model/errors.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import { alice, bob, problemsOf, Scene, wordsOf } from '../../src/testing/contract/scene.ts'

const atMs = 1_760_000_000_000
const diskBytes = 4 * 1024 ** 2
const ballastBytes = 1024 ** 2
const messageBytes = 20_000
/** Fills pages of its own, so that what the log holds is mostly new to the database. */
const longMessageBytes = 60_000
/** How long the store may take to notice that there is room again. */
const returnLimitMs = 10_000

/** A disk of its own, really small. Only root may mount one. */
async function smallDisk() {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', path])
  return {
    path,
    dispose: async () => {
      execFileSync('umount', [path])
      await rm(path, { recursive: true })
    },
  }
}

/** A message that does not compress. */
const noisy = (number: number, bytes: number) =>
  `${number} ${Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64')}`

const isRoot = process.getuid?.() === 0

/** Not skipped for root, where it must work; others cannot mount, and the name of the test says so. */
it.runIf(isRoot)(
  'keeps every told message on a disk that runs full, and takes new ones after room was made (root only)',
  async () => {
    const disk = await smallDisk()
    try {
      const ballast = join(disk.path, 'ballast')
      await writeFile(ballast, Buffer.alloc(ballastBytes, 1))
      const openStore = sqliteStore(join(disk.path, 'data'), { diskReserveBytes: 0 })
      const scene = await Scene.open({ openStore, backupDirectory: '', dispose: async () => {} }, atMs)
      const told: string[] = []
      try {
        expect(await untilRefused(scene, told)).toBe('STORE_FULL')
        expect(told.length).toBeGreaterThan(10)
        expect((await scene.store.statistics()).writable).toBe(false)
        await expectKept(scene, told)

        await rm(ballast)
        const before = told.length
        await untilTaken(scene, told)
        expect(told.length).toBe(before + 1)
        expect((await scene.store.statistics()).writable).toBe(true)
        await expectKept(scene, told)
        await scene.reopen()
        await expectKept(scene, told)
      } finally {
        await scene.store.close()
      }
    } finally {
      await disk.dispose()
    }
  },
)

it.runIf(isRoot)('its log does not keep room that the disk needs (root only)', async () => {
  const disk = await smallDisk()
  try {
    const openStore = sqliteStore(join(disk.path, 'data'), { diskReserveBytes: diskBytes / 16 })
    const scene = await Scene.open({ openStore, backupDirectory: '', dispose: async () => {} }, atMs)
    try {
      const told: string[] = []
      // faster than the log is brought in by itself: there its messages need their room twice
      expect(await untilRefused(scene, told, longMessageBytes)).toBe('STORE_FULL')
      const sizeOf = (name: string) => statSync(join(disk.path, 'data', name)).size
      expect(sizeOf('holdfast.sqlite')).toBeGreaterThan(diskBytes / 2)
      expect(sizeOf('holdfast.sqlite-wal')).toBeLessThan(diskBytes / 4)
      await expectKept(scene, told)
    } finally {
      await scene.store.close()
    }
  } finally {
    await disk.dispose()
  }
})

it('refuses new messages below its reserve, and still ends and reads what it has taken', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-reserve-'))
  const openStore = sqliteStore(join(directory, 'data'), { diskReserveBytes: 0 })
  const scene = await Scene.open({ openStore, backupDirectory: '', dispose: async () => {} }, atMs)
  try {
    const claim = await scene.begin(bob, 'taken before')
    await scene.store.close()
    const diskReserveBytes = Number.MAX_SAFE_INTEGER
    const openBelow = sqliteStore(join(directory, 'data'), { diskReserveBytes })
    const telemetry = { verb: () => {}, commit: () => {}, writable: () => {} }
    scene.store = await openBelow({ holder: scene.holder, telemetry, atMs })
    expect(await outcomeOf(scene.admit(alice, 'a new one'))).toBe('STORE_FULL')
    expect(await outcomeOf(scene.store.probe())).toBe('STORE_FULL')
    expect(await scene.store.readSession(alice)).toBeNull()
    expect((await scene.store.statistics()).writable).toBe(false)
    await scene.settle(claim, 'answered')
    expect(wordsOf(await scene.entries(bob))).toEqual(['taken before', 'answered'])
    expect(problemsOf(await scene.store.verify({ quick: false, atMs }))).toEqual([])
  } finally {
    await scene.store.close()
    await rm(directory, { recursive: true })
  }
})

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'done'
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return error.code
  }
}

/** Gives the code of the first refusal. */
async function untilRefused(scene: Scene, told: string[], bytes = messageBytes): Promise<string> {
  for (let number = 0; number < 1_000; number += 1) {
    const text = noisy(number, bytes)
    const outcome = await outcomeOf(scene.admit(bob, text, { queuedMax: { session: 9_999, total: 9_999 } }))
    if (outcome !== 'done') return outcome
    told.push(text)
  }
  return 'the disk never ran full'
}

async function untilTaken(scene: Scene, told: string[]): Promise<void> {
  const text = noisy(told.length, messageBytes)
  for (let waitedMs = 0; waitedMs < returnLimitMs; waitedMs += 100) {
    if ((await outcomeOf(scene.admit(bob, text))) === 'done') {
      told.push(text)
      return
    }
    await sleep(100)
  }
}

/** Each is there once, in its order, and the store is in order. */
async function expectKept(scene: Scene, told: string[]): Promise<void> {
  const { items } = await scene.store.listTurns({ order: 'oldest', limit: 1_000 })
  const found: unknown[] = []
  for (const { id } of items) {
    const detail = await scene.store.readTurn(id)
    found.push(...(detail?.inbound ?? []).flatMap(({ messages }) => messages.map(({ content }) => content)))
  }
  expect(found.length).toBe(told.length)
  expect(found.every((text, index) => text === told[index])).toBe(true)
  expect(problemsOf(await scene.store.verify({ quick: false, atMs }))).toEqual([])
}
