import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Api } from './harness/api.ts'
import { injectFault, onSmallDisk, seenBy } from './harness/faults.ts'
import { Ledger } from './harness/ledger.ts'
import { startLoad } from './harness/load.ts'
import { echo } from './harness/model.ts'
import { seedOfThisRun } from './harness/random.ts'
import { makeStand, type Stand } from './harness/stand.ts'
import { until, untilSettled } from './harness/wait.ts'

it('refuses while writes or fsync fail, loses nothing, and works again by itself', async () => {
  await using stand = await makeStand()
  const faults = [
    ['pwrite64:error=ENOSPC', 507, 'STORE_FULL'],
    ['pwrite64:error=EIO', 503, 'STORE_IO'],
    ['fsync:error=EIO', 503, 'STORE_IO'],
  ] as const
  await underLoad(stand, async (goesOn) => {
    for (const [inject, status, code] of faults) {
      {
        await using _ = await injectFault(stand.gateway, stand.place, inject)
        await until(`${inject} makes it not ready`, async () => !(await isReady(stand.api)))
        const refused = await stand.api.turn('a', 'not now')
        expect([inject, refused.status, refused.body.error?.code]).toEqual([inject, status, code])
      }
      await goesOn()
    }
  })
})

it('is read-only while the disk is really full, and works again when there is room', async () => {
  await using stand = await makeStand({ store: { diskReserve: '1mb' } }, echo, (place) => onSmallDisk(place, '12m'))
  const { api, gateway, place } = stand
  await underLoad(stand, async (goesOn) => {
    const ballast = join(seenBy(gateway, place), 'ballast')
    // a log that is cut gives room back, and the gateway rightly uses it: full again before each look
    const refuses = (ask: () => Promise<{ status: number; body: Refusal }>) =>
      until('a message is refused', async () => {
        await fill(ballast)
        const { status, body } = await ask()
        return status === 507 && body.error?.code === 'STORE_FULL'
      })
    await refuses(() => api.turn('a', 'not now'))
    await refuses(() => api.chat('a', 'not now'))
    await fill(ballast)
    await until('the gateway says that it is not ready', async () => !(await isReady(api)))
    expect((await api.entries('s1')).length, 'reading goes on').toBeGreaterThan(0)
    await rm(ballast)
    await goesOn()
  })
})

/** Clients that go on through `faults`; afterwards everything that they were told must be true. */
async function underLoad({ api }: Stand, faults: (goesOn: () => Promise<void>) => Promise<void>): Promise<void> {
  const seed = seedOfThisRun()
  using load = startLoad({ sessions: 4, writers: 2, seed, api: () => api })
  const ledger = new Ledger(load.sessions)
  const goesOn = async () => {
    await until('the gateway is ready', () => isReady(api))
    const before = load.sent.length
    await until('the load goes on', () => load.sent.length > before + 40)
  }
  await goesOn()
  await faults(goesOn)
  await load.pause()
  await untilSettled(api)
  expect([...(await ledger.problems(api, load.sent)), ...load.surprises], `HOLDFAST_SEED=${seed}`).toEqual([])
}

async function isReady(api: Api): Promise<boolean> {
  const response = await api.open('GET', '/readyz')
  await response.body?.cancel()
  return response.status === 200
}

type Refusal = { error?: { code: string } | undefined }

/** Goes on writing until not one more byte fits. */
async function fill(path: string): Promise<void> {
  await using file = await open(path, 'a')
  for (const chunk of [Buffer.alloc(64 * 1024), Buffer.alloc(512)]) {
    try {
      for (;;) await file.write(chunk)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}
