import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { contentOf, openStore, problemsIn } from './moving.ts'
import { Seeded } from './seeded.ts'

/** A whole import or export of a fixture takes about this long. Unit: ms. */
const wholeMs = 600

/** Imports a home in a process that is killed so many times, and then not. */
export async function expectSameAfterKills(
  dir: string,
  data: string,
  whole: Map<string, string>,
  kills: number,
): Promise<void> {
  const seed = await runKilledAndAgain('import-home', dir, data, kills)
  await using store = await openStore(data)
  expect(await contentOf(store), `seed ${seed}`).toEqual(whole)
  expect(await problemsIn(store), `seed ${seed}`).toEqual([])
  expect((await store.listArchived({ limit: 9 })).items, `seed ${seed}`).toEqual([])
}

/** Runs a program that moves sessions FROM somewhere TO somewhere; killed so many times, and then not. Gives its seed. */
export async function runKilledAndAgain(
  name: 'import-home' | 'export-home',
  from: string,
  to: string,
  kills: number,
): Promise<number> {
  const seed = Number(process.env.HOLDFAST_SEED ?? 7)
  const chance = new Seeded(seed)
  const program = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url))
  let killed = 0
  for (let ended = false; !ended; killed += 1) {
    ended = await runKilled([program, from, to], killed < kills ? chance.whole(0, wholeMs) : null)
  }
  return seed
}

/** True when it came to its end before it was killed. */
async function runKilled(command: string[], afterMs: number | null): Promise<boolean> {
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
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
