import { expect, it } from 'vitest'
import { type Aftermath, afterFault } from './crash.ts'
import type { Injection } from './strace.ts'

/** The writer of two rounds makes fewer writes and syncs than these. */
const writesMax = 1_500
const syncsMax = 80

/** Writes come in groups that belong together; a step that shares no factor with their size visits every place in one. */
const writeStep = 17

const minuteMs = 60_000

const everyNth = (last: number, step: number): number[] =>
  Array.from({ length: Math.floor((last - 1) / step) + 1 }, (_, index) => 1 + index * step)

async function sweep(numbers: number[], injection: Omit<Injection, 'files' | 'when'>): Promise<Map<number, Aftermath>> {
  const found = new Map<number, Aftermath>()
  for (const number of numbers) found.set(number, await afterFault({ ...injection, when: String(number) }))
  return found
}

/** By the number of the call that was hit. */
const problemsOf = (found: Map<number, Aftermath>) =>
  [...found].flatMap(([number, { problems }]) => problems.map((problem) => `at number ${number}: ${problem}`))

const count = (found: Map<number, Aftermath>, which: (aftermath: Aftermath) => boolean) =>
  [...found.values()].filter(which).length

it(
  'keeps what was told when it is killed at any fsync',
  async () => {
    const found = await sweep(everyNth(syncsMax, 1), { call: 'fsync', what: 'signal=KILL' })
    expect(problemsOf(found)).toEqual([])
    expect(count(found, ({ ended }) => !ended)).toBeGreaterThan(syncsMax / 2)
  },
  10 * minuteMs,
)

it(
  'keeps what was told when it is killed at any write',
  async () => {
    const numbers = [...everyNth(12, 1), ...everyNth(writesMax, writeStep)]
    const found = await sweep(numbers, { call: 'pwrite64', what: 'signal=KILL' })
    expect(problemsOf(found)).toEqual([])
    expect(count(found, ({ ended }) => !ended)).toBeGreaterThan(numbers.length / 2)
  },
  10 * minuteMs,
)

/** Opening is refused when its own writes fail; the faults below begin after it. */
const afterOpening = { write: 240, sync: 10 }

it.each(['ENOSPC', 'EIO'] as const)(
  'goes on after %s at any write',
  async (error) => {
    const numbers = everyNth(writesMax, 2 * writeStep).filter((number) => number > afterOpening.write)
    const found = await sweep(numbers, { call: 'pwrite64', what: `error=${error}` })
    expect(problemsOf(found)).toEqual([])
  },
  10 * minuteMs,
)

it.each(['ENOSPC', 'EIO'] as const)(
  'goes on after %s at any fsync',
  async (error) => {
    const numbers = everyNth(syncsMax, 3).filter((number) => number > afterOpening.sync)
    const found = await sweep(numbers, { call: 'fsync', what: `error=${error}` })
    expect(problemsOf(found)).toEqual([])
  },
  10 * minuteMs,
)
