import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type CompactionFacts,
  type EntryFacts,
  enoughRead,
  entriesMin,
  planAfterFailure,
  planCompaction,
} from './plan.ts'

const kinds = { u: 'user', a: 'assistant', c: 'assistant', t: 'tool', e: 'event' } as const

/** `uatca`: one entry for each letter (c: an assistant that calls tools), 100 tokens each, `seq` after `from`. */
function entriesOf(letters: string, tokens = 100, from = 0): EntryFacts[] {
  return [...letters].map((letter, index) => ({
    seq: from + index + 1,
    kind: kinds[letter as keyof typeof kinds],
    tokens: letter === 'e' ? 0 : tokens,
    callsTools: letter === 'c',
  }))
}

function factsOf(entries: EntryFacts[], rest: Partial<CompactionFacts> = {}): CompactionFacts {
  const afterBase = entries.reduce((total, entry) => total + entry.tokens, 0)
  return {
    contextTokens: afterBase + (rest.base?.tokens ?? 0),
    meterRatio: 1,
    roomTokens: 1_000,
    softShare: 0.6,
    keepShare: 0.25,
    base: null,
    entries,
    complete: true,
    forced: false,
    ...rest,
  }
}

describe('planCompaction', () => {
  it('waits until the context is over the soft limit', () => {
    expect(planCompaction(factsOf(entriesOf('uauaua')))).toEqual({ kind: 'none', because: 'below the soft limit' })
    expect(planCompaction(factsOf(entriesOf('uauauau')))).toMatchObject({ kind: 'summarise' })
  })

  it('counts as the provider does, by the session ratio', () => {
    expect(planCompaction(factsOf(entriesOf('uauaua'), { meterRatio: 1.5 }))).toMatchObject({ kind: 'summarise' })
  })

  it('keeps whole rounds word for word, as many as the share holds', () => {
    expect(planCompaction(factsOf(entriesOf('uauauaua')))).toMatchObject({ uptoSeq: 6, replacedTokens: 600 })
  })

  it('cuts before a user entry, never between a call and its result', () => {
    expect(planCompaction(factsOf(entriesOf('uaucttaua')))).toMatchObject({ uptoSeq: 7 })
  })

  it('covers a last round that alone is larger than what may stay', () => {
    expect(planCompaction(factsOf(entriesOf('uauctctcta')))).toMatchObject({ uptoSeq: 10 })
  })

  it('leaves a last round alone while its calls wait for results', () => {
    expect(planCompaction(factsOf(entriesOf('uauauctc', 80)))).toMatchObject({ uptoSeq: 4 })
  })

  it('leaves a question alone that has no answer yet', () => {
    expect(planCompaction(factsOf(entriesOf('uauauau')))).toMatchObject({ uptoSeq: 6 })
  })

  it('takes as much as the summariser can read, and goes on the next time', () => {
    const facts = factsOf(entriesOf('ua'.repeat(20)))
    expect(planCompaction(facts)).toMatchObject({ uptoSeq: 6, inputTokensMax: 700 })
    const base = { uptoSeq: 6, tokens: 100 }
    const next = factsOf(entriesOf('ua'.repeat(17), 100, 6), { base })
    expect(planCompaction(next)).toMatchObject({ uptoSeq: 12, replacedTokens: 700 })
  })

  it('takes a first round that is larger than what the summariser can read', () => {
    expect(planCompaction(factsOf(entriesOf('ucttttttttttttaua')))).toMatchObject({ uptoSeq: 15, inputTokensMax: 700 })
  })

  it('does nothing when too few entries would be replaced', () => {
    expect(planCompaction(factsOf(entriesOf('uau', 900)))).toEqual({ kind: 'none', because: 'too little to replace' })
  })

  it('makes a summary of a short conversation when a person asks for it', () => {
    expect(planCompaction(factsOf(entriesOf('uauaua', 10), { forced: true }))).toMatchObject({ uptoSeq: 6 })
    expect(planCompaction(factsOf(entriesOf('ua', 10), { forced: true }))).toMatchObject({ kind: 'none' })
  })

  it('does not count events as entries that are replaced', () => {
    expect(planCompaction(factsOf(entriesOf('uaeeeeeu', 400)))).toMatchObject({ kind: 'none' })
  })
})

describe('planCompaction, for any entries', () => {
  const facts = fc
    .record({
      letters: fc.array(fc.constantFrom(...'uuacte'), { maxLength: 60 }).map((letters) => letters.join('')),
      tokens: fc.integer({ min: 1, max: 400 }),
      from: fc.nat(50),
      baseTokens: fc.nat(200),
      complete: fc.boolean(),
      forced: fc.boolean(),
      meterRatio: fc.constantFrom(0.5, 1, 2),
    })
    .map(({ letters, tokens, from, baseTokens, ...rest }) =>
      factsOf(entriesOf(letters, tokens, from), {
        ...rest,
        base: from === 0 ? null : { uptoSeq: from, tokens: baseTokens },
      }),
    )

  it('goes beyond its base, cuts before a user entry or at rest, replaces enough and asks for less than it replaces', () => {
    fc.assert(
      fc.property(facts, (one) => {
        const plan = planCompaction(one)
        if (plan.kind === 'none') return
        expect(plan.uptoSeq).toBeGreaterThan(one.base?.uptoSeq ?? 0)
        const after = one.entries.find((entry) => entry.seq === plan.uptoSeq + 1)
        if (after !== undefined) expect(after.kind).toBe('user')
        const covered = one.entries.filter((entry) => entry.seq <= plan.uptoSeq && entry.kind !== 'event')
        expect(covered.length).toBeGreaterThanOrEqual(entriesMin)
        if (after === undefined) expect(covered.at(-1)?.kind).toBe('assistant')
        expect(plan.tokensMax).toBeLessThan(plan.replacedTokens)
      }),
    )
  })

  it('comes to an end when repeated, with the context below the soft limit or nothing left to replace', () => {
    fc.assert(
      fc.property(facts, (given) => {
        let one = given
        for (let pass = 0; pass < 100; pass += 1) {
          const plan = planCompaction(one)
          if (plan.kind === 'none') return
          const entries = one.entries.filter((entry) => entry.seq > plan.uptoSeq)
          one = factsOf([...entries], { ...one, entries, base: { uptoSeq: plan.uptoSeq, tokens: plan.tokensMax } })
        }
        throw new Error('it did not end')
      }),
    )
  })
})

it('has read enough once a part is full and a user entry stands after it', () => {
  const size = factsOf([])
  expect(enoughRead(size, entriesOf('uauaua'))).toBe(false)
  expect(enoughRead(size, entriesOf('uctttttttt'))).toBe(false)
  expect(enoughRead(size, entriesOf('ucttttttttau'))).toBe(true)
})

it('waits twice as long after each failure, up to a limit, and then does without a model', () => {
  const limits = { failuresMax: 5, backoffMs: { first: 1_000, max: 3_000 } }
  expect([1, 2, 3, 4, 5].map((failures) => planAfterFailure(failures, limits))).toEqual([
    { kind: 'wait', ms: 1_000 },
    { kind: 'wait', ms: 2_000 },
    { kind: 'wait', ms: 3_000 },
    { kind: 'wait', ms: 3_000 },
    { kind: 'mechanical' },
  ])
})
