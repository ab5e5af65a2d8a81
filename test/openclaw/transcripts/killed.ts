import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { listRuns, manifestOf } from '../../../src/openclaw/changes/journal/folder.ts'
import { chanceFrom } from '../../power/chance.ts'
import { treeOf } from '../tree.ts'
import { damaged } from './damage.ts'
import { homeWith, repairAlone, undo } from './home.ts'
import { mend } from './mended.ts'

const program = fileURLToPath(new URL('../programs/repair.ts', import.meta.url))

/** Repairs a home in a process of its own; answers whether it was killed at the nth call of the kernel that makes something last. */
function repairUntil(dir: string, nth: number): boolean {
  const inject = ['-e', 'trace=fsync,rename', '-e', `inject=fsync,rename:signal=KILL:when=${nth}`]
  const args = ['-f', '-qq', '-o', '/dev/null', ...inject, process.execPath, '--no-warnings', program, dir]
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' } // calls are counted for each thread
  const { status, signal, error, stderr } = spawnSync('strace', args, { encoding: 'utf8', timeout: 60_000, env })
  if (error !== undefined) throw error
  const isKilled = status === 137 || signal === 'SIGKILL'
  if (!isKilled && status !== 0) throw new Error(stderr)
  return isKilled
}

/** A repair that is killed there leaves old or new files and nothing between; the next one finishes, and both together can be undone. */
export async function expectFinishedAfterKill(nth: number): Promise<boolean> {
  const transcripts = Object.fromEntries([3, 4, 5].map((seed) => [`s${seed}`, damaged(chanceFrom(seed)).data]))
  await using scratch = await homeWith(transcripts)
  const before = treeOf(scratch.home.dir)
  const isKilled = repairUntil(scratch.home.dir, nth)
  const mended = new Map<string, Buffer>()
  for (const [id, data] of Object.entries(transcripts)) {
    mended.set(id, await mend(data))
    const now = readFileSync(scratch.path(`${id}.jsonl`))
    expect(now.equals(data) || now.equals(mended.get(id) as Buffer)).toBe(true)
  }
  const { steps } = await repairAlone(scratch.home)
  expect(steps.every(({ done }) => done)).toBe(true)
  for (const [id, data] of mended) expect(readFileSync(scratch.path(`${id}.jsonl`)).equals(data)).toBe(true)
  expect((await repairAlone(scratch.home)).steps).toEqual([])
  for (const run of (await listRuns(scratch.home.dir)).reverse())
    await undo(scratch.home, manifestOf(scratch.home.dir, run))
  expect(treeOf(scratch.home.dir)).toEqual(before)
  return isKilled
}
