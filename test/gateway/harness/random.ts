import { createHash } from 'node:crypto'

/** Numbers that a seed decides, so that a failing run can be had again. */
export interface Random {
  readonly seed: number
  /** At least 0, below 1. */
  next(): number
  /** A whole number, both ends included. */
  between(least: number, most: number): number
  pick<T>(from: readonly T[]): T
}

/** `HOLDFAST_SEED` gives a run's numbers again. */
export function seedOfThisRun(): number {
  const given = process.env.HOLDFAST_SEED
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
}

export function randomFrom(seed: number): Random {
  let drawn = 0
  const next = (): number => {
    drawn += 1
    return createHash('sha256').update(`${seed}:${drawn}`).digest().readUInt32BE() / 2 ** 32
  }
  return {
    seed,
    next,
    between: (least, most) => least + Math.floor(next() * (most - least + 1)),
    pick: (from) => from[Math.floor(next() * from.length)] as (typeof from)[number],
  }
}
