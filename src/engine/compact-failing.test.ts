import { describe, expect, it } from 'vitest'
import { Bench, briefly, compactSettings, never, sayMany } from '../../test/engine/compactor.ts'
import { alice } from '../testing/contract/scene.ts'
import type { Summarizer } from './runner.ts'

describe('Compactor, when its summariser or the store fails', () => {
  it('waits longer after each failure, and in the end does without a model', async () => {
    const bench = await Bench.open(async () => {
      throw new Error('the model is away')
    })
    await sayMany(bench, 6)
    await bench.consider()
    expect(bench.compactor.stateOf(alice)).toMatchObject({ state: 'backing off', failuresInARow: 1 })
    await bench.consider()
    await bench.advance(99)
    expect(bench.outcomes).toEqual(['failed'])
    await bench.advance(1)
    expect(bench.outcomes).toEqual(['failed', 'failed'])
    await bench.advance(200)
    expect(bench.outcomes).toEqual(['failed', 'failed', 'failed', 'mechanical'])
    expect(await bench.summaries()).toMatchObject([{ kind: 'mechanical', uptoSeq: 8 }])
    expect(bench.compactor.stateOf(alice)).toMatchObject({ state: 'idle' })
    expect(bench.events.map((event) => event.type).filter((type) => type === 'summary.failed')).toHaveLength(3)
  })

  it('tries the model once more after a mechanical summary, and not with a pause', async () => {
    const bench = await Bench.open(never, { compaction: { ...compactSettings.compaction, failuresMax: 1 } })
    await sayMany(bench, 6)
    await bench.consider()
    await bench.advance(1_000)
    await sayMany(bench, 5)
    await bench.consider()
    await bench.advance(1_000)
    expect(bench.outcomes).toEqual(['timeout', 'mechanical', 'timeout', 'mechanical'])
  })

  it('never says what people wrote when a summariser fails', async () => {
    const bench = await Bench.open(async () => {
      throw new Error('cannot summarise: "my secret"')
    })
    await sayMany(bench, 6)
    await bench.consider()
    expect(JSON.stringify(bench.events)).not.toContain('secret')
  })

  it.each([
    ['empty', ''],
    ['blank', ' \n '],
    ['longer than what it replaces', 'word '.repeat(3_000)],
    ['as long as it may not be', 'word '.repeat(150)],
  ])('refuses an answer that is %s', async (_name, text) => {
    const bench = await Bench.open(async () => text)
    await sayMany(bench, 6)
    await bench.consider()
    expect(bench.outcomes).toEqual(['refused'])
    expect(await bench.summaries()).toEqual([])
    expect(bench.compactor.stateOf(alice).state).toBe('backing off')
  })

  it('takes an answer that is no text for a failure', async () => {
    const bench = await Bench.open((async () => 42) as unknown as Summarizer)
    await sayMany(bench, 6)
    await bench.consider()
    expect(bench.outcomes).toEqual(['failed'])
  })

  it('waits and tries again when the store cannot write, without blaming the summariser', async () => {
    const bench = await Bench.open(briefly)
    await sayMany(bench, 6)
    const { store } = bench.scene
    const commit = store.commitSummary
    store.commitSummary = () => Promise.reject(new Error('disk'))
    await bench.consider()
    expect(bench.compactor.stateOf(alice)).toMatchObject({ state: 'backing off', failuresInARow: 0 })
    store.commitSummary = commit
    await bench.advance(100)
    expect(bench.outcomes).toEqual(['failed', 'committed'])
  })
})
