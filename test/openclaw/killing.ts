import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { contentOf, openStore, problemsIn } from './moving.ts'
import { Seeded } from './seeded.ts'

const program = fileURLToPath(new URL('programs/import-home.ts', import.meta.url))
/** A whole import takes about this long. Unit: ms. */
const importMs = 600

/** Imports a home in a process that is killed so many times, and then not. */
export async function expectSameAfterKills(
  dir: string,
  data: string,
  whole: Map<string, string>,
  kills: number,
): Promise<void> {
  const seed = Number(process.env.HOLDFAST_SEED ?? 7)
  const chance = new Seeded(seed)
  let killed = 0
  for (let ended = false; !ended; killed += 1) {
    ended = await runKilled(dir, data, killed < kills ? chance.whole(0, importMs) : null)
  }
  await using store = await openStore(data)
  expect(await contentOf(store), `seed ${seed}`).toEqual(whole)
  expect(await problemsIn(store), `seed ${seed}`).toEqual([])
  expect((await store.listArchived({ limit: 9 })).items, `seed ${seed}`).toEqual([])
}

/** True when it came to its end before it was killed. */
async function runKilled(home: string, data: string, afterMs: number | null): Promise<boolean> {
  const child = spawn(process.execPath, [program, home, data], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  child.stdout.resume()
  if (afterMs !== null) {
    await sleep(afterMs)
    child.kill('SIGKILL')
  }
  const [code] = await ended
  return code === 0
}
