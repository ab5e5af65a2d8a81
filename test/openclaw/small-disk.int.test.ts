import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock as clock } from '../../src/host/clock.ts'
import { beginRun } from '../../src/openclaw/changes/begin.ts'
import type { Outcome } from '../../src/openclaw/changes/run.ts'
import { undoRun } from '../../src/openclaw/changes/undo/undo.ts'
import { judgeFile, noteOf, Scratch } from './scratch.ts'
import { treeOf } from './tree.ts'

const diskBytes = 4 * 1024 ** 2
const fileBytes = 200_000

/** A home on a disk of its own, really small. Only root may mount one. */
async function onSmallDisk(act: (scratch: Scratch, disk: string) => Promise<void>): Promise<void> {
  const disk = await mkdtemp(join(tmpdir(), 'holdfast-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', disk])
  try {
    await act(await Scratch.open(disk), disk)
  } finally {
    execFileSync('umount', [disk])
    rmSync(disk, { recursive: true })
  }
}

/** Files that do not become smaller. */
function fill(scratch: Scratch, files: number) {
  return Array.from({ length: files }, (_, at) => {
    const path = scratch.write(`${String(at).padStart(2, '0')}.jsonl`, randomBytes(fileBytes))
    return { judged: judgeFile(path), note: noteOf() }
  })
}

async function takeAll(
  scratch: Scratch,
  items: ReturnType<typeof fill>,
): Promise<{ outcomes: Outcome[]; run: string }> {
  const outcomes: Outcome[] = []
  await using run = beginRun(scratch.home, 'clean', { clock })
  for await (const { outcome } of run.archiveMany(items)) outcomes.push(outcome)
  return { outcomes, run: basename(dirname(run.manifest ?? '')) }
}

const freeBytes = (path: string) => statfsSync(path).bavail * statfsSync(path).bsize
const how = {
  clock,
  gatewayNow: async () => ({ state: 'stopped' as const, proof: 'this test' }),
  dryRun: false,
  only: null,
}

describe.runIf(process.getuid?.() === 0)('on a disk that is nearly full (root only)', () => {
  it('the first files make room for the next, and the reserve is never touched', () =>
    onSmallDisk(async (scratch, disk) => {
      const items = fill(scratch, 16)
      const before = treeOf(scratch.home.dir)
      expect(freeBytes(disk)).toBeLessThan(5 * fileBytes)
      const { outcomes, run } = await takeAll(scratch, items)
      expect(outcomes).toEqual(items.map(() => ({ done: true, bytes: fileBytes })))
      const { steps } = await undoRun(scratch.home, run, how)
      // all of it is there twice while it is undone, so that not all of it can come back now
      const left = steps.filter(({ done }) => !done)
      expect(left.length).toBeGreaterThan(0)
      expect(left.every((step) => step.left?.includes('ENOSPC'))).toBe(true)
      execFileSync('mount', ['-o', `remount,size=${3 * diskBytes}`, disk])
      expect((await undoRun(scratch.home, run, how)).steps.every(({ done }) => done)).toBe(true)
      expect(treeOf(scratch.home.dir)).toEqual(before)
    }))

  it('nothing is touched where there is no room for one copy', () =>
    onSmallDisk(async (scratch, disk) => {
      const items = fill(scratch, 3)
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(freeBytes(disk) - 150_000, 1))
      const before = treeOf(scratch.home.dir)
      const { outcomes } = await takeAll(scratch, items)
      expect(outcomes.map((each) => (each.done ? 'done' : each.left))).toEqual(['no room', 'no room', 'no room'])
      expect(treeOf(scratch.home.dir)).toEqual(before)
      rmSync(join(disk, 'ballast'))
      expect((await takeAll(scratch, items)).outcomes.every(({ done }) => done)).toBe(true)
    }))

  it('a disk without a byte leaves every step, and a run that cannot even begin says so', () =>
    onSmallDisk(async (scratch, disk) => {
      const items = fill(scratch, 2)
      expect((await takeAll(scratch, fill(scratch, 1))).outcomes).toHaveLength(1) // there is a lock file from now on
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(freeBytes(disk), 1))
      const before = treeOf(scratch.home.dir)
      const { outcomes, run } = await takeAll(scratch, items.slice(1))
      expect({ outcomes, run }).toMatchObject({ outcomes: [{ left: 'no room' }], run: '.' })
      expect(treeOf(scratch.home.dir)).toEqual(before)
    }))
})
