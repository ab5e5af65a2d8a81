import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { chanceFrom } from '../../power/chance.ts'
import { treeOf } from '../tree.ts'
import { damaged, linearDamages } from './damage.ts'
import { homeWith, repair, undo } from './home.ts'
import { expectMended } from './mended.ts'

/** As many transcripts as there are seeds, each damaged in its way, on a disk: repaired in one run, looked at one by one, and undone. */
export async function expectRepaired(seeds: number[]): Promise<{ mended: number }> {
  const damages = new Map(seeds.map((seed) => [`s${seed}`, damaged(chanceFrom(seed))]))
  const transcripts = Object.fromEntries([...damages].map(([id, { data }]) => [id, data]))
  await using scratch = await homeWith(transcripts)
  const before = treeOf(scratch.home.dir)
  const { steps, manifest } = await repair(scratch.home)
  const notDone = steps.filter(({ done }) => !done).map(({ path, left }) => `${path}: ${left}`)
  expect(notDone).toEqual([])
  for (const [id, { data, names }] of damages) {
    const mended = readFileSync(scratch.path(`${id}.jsonl`))
    await expectMended(data, { linear: linearDamages(names), mended }).catch((error) => {
      throw new Error(`seed ${id.slice(1)} (${names.join(', ')})`, { cause: error })
    })
  }
  expect((await repair(scratch.home)).steps).toEqual([])
  const undone = steps.length === 0 ? [] : await undo(scratch.home, manifest)
  expect(undone.every(Boolean)).toBe(true)
  expect(treeOf(scratch.home.dir)).toEqual(before)
  return { mended: undone.length }
}

export function seedsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => first + at)
}
