/** What one round of one subject gave: the latency of each operation, and the time for all of them. */
export interface Round {
  latenciesMs: number[]
  wallMs: number
}

export interface Subject {
  name: string
  round(): Promise<Round>
}

/** A subject's rounds, put together: each figure is the median over the rounds' own figures. */
export interface Measured {
  medianMs: number
  p99Ms: number
  perSecond: number
  /** Lowest and highest median of a round: how much to believe of the figure. */
  medianRangeMs: [number, number]
  operations: number
}

/** `share` of the values are at most this: the nearest rank, so it is always a value that was seen. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('no values')
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

/**
 * Runs the subjects in turns, round by round, so that a slow minute of the machine hurts all of them alike. Every
 * second round goes backwards: nobody is always the one that comes after the heaviest.
 */
export async function interleave(subjects: readonly Subject[], rounds: number): Promise<Map<string, Measured>> {
  const seen = new Map<string, Round[]>(subjects.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      seen.get(subject.name)?.push(await subject.round())
    }
  }
  return new Map([...seen].map(([name, each]) => [name, putTogether(each)]))
}

export function putTogether(rounds: readonly Round[]): Measured {
  const medians = rounds.map((round) => median(round.latenciesMs))
  return {
    medianMs: median(medians),
    p99Ms: median(rounds.map((round) => percentile(round.latenciesMs, 0.99))),
    perSecond: median(rounds.map((round) => (round.latenciesMs.length / round.wallMs) * 1_000)),
    medianRangeMs: [Math.min(...medians), Math.max(...medians)],
    operations: rounds.reduce((total, round) => total + round.latenciesMs.length, 0),
  }
}

/** One after the other. */
export async function timeEach(count: number, act: (index: number) => unknown): Promise<Round> {
  const latenciesMs: number[] = []
  const startedMs = performance.now()
  for (let index = 0; index < count; index += 1) {
    const beganMs = performance.now()
    await act(index)
    latenciesMs.push(performance.now() - beganMs)
  }
  return { latenciesMs, wallMs: performance.now() - startedMs }
}

/** `writers` at once, each `count` times, one after the other. */
export async function timeTogether(
  writers: number,
  count: number,
  act: (writer: number, index: number) => Promise<unknown>,
): Promise<Round> {
  const startedMs = performance.now()
  const each = await Promise.all(
    Array.from({ length: writers }, (_, writer) => timeEach(count, (index) => act(writer, index))),
  )
  return { latenciesMs: each.flatMap((round) => round.latenciesMs), wallMs: performance.now() - startedMs }
}
