import { describe, expect, it } from 'vitest'
import { Bench, briefly, compactSettings, never, sayMany } from '../../test/engine/compactor.ts'
import { countMessage, countText } from '../compaction/meter.ts'
import { alice, bob } from '../testing/contract/scene.ts'

describe('Compactor', () => {
  it('does nothing below the soft limit', async () => {
    const bench = await Bench.open(briefly)
    await sayMany(bench, 5)
    await bench.consider()
    expect(bench.jobs).toEqual([])
    expect(bench.compactor.stateOf(alice)).toEqual({
      state: 'idle',
      sinceMs: null,
      failuresInARow: 0,
      lastOutcome: null,
    })
  })

  it('makes a summary over the soft limit and keeps the newest rounds word for word', async () => {
    const bench = await Bench.open(briefly)
    await sayMany(bench, 6)
    const before = (await bench.scene.session(alice)).contextTokens
    await bench.consider()
    const [summary] = await bench.summaries()
    expect(summary).toMatchObject({ kind: 'model', uptoSeq: 8, text: '8 entries', tokens: countText('8 entries') })
    const { contextTokens } = await bench.scene.session(alice)
    expect(bench.events).toEqual([
      { type: 'summary.started', sessionKey: alice },
      {
        type: 'summary.committed',
        sessionKey: alice,
        summaryId: summary?.id,
        kind: 'model',
        tokensBefore: before,
        tokensAfter: contextTokens,
      },
    ])
    expect(contextTokens).toBeLessThan(300)
    expect(bench.outcomes).toEqual(['committed'])
    expect(bench.compactor.stateOf(alice)).toMatchObject({ state: 'idle', lastOutcome: 'committed' })
  })

  it('leaves less history where instructions and tools take room', async () => {
    const bench = await Bench.open(briefly)
    await sayMany(bench, 4)
    bench.compactor.considerSoon(await bench.scene.session(alice), 400)
    await bench.settled()
    expect(await bench.summaries()).toHaveLength(1)
  })

  it('continues the summary before', async () => {
    const bench = await Bench.open(briefly)
    await sayMany(bench, 6)
    await bench.consider()
    await sayMany(bench, 4)
    await bench.consider()
    const [second, first] = await bench.summaries()
    expect(second).toMatchObject({ baseId: first?.id, uptoSeq: 16, text: '8 entries, and before' })
    expect(bench.jobs[1]?.previous).toBe('8 entries')
  })

  it('works through a long transcript in parts that the summariser can read', async () => {
    const bench = await Bench.open(briefly)
    await sayMany(bench, 30)
    await bench.consider()
    const summaries = await bench.summaries()
    expect(summaries.length).toBeGreaterThan(2)
    expect((await bench.scene.session(alice)).contextTokens).toBeLessThanOrEqual(600)
    for (const job of bench.jobs) {
      expect(job.entries.reduce((sum, entry) => sum + countMessage(entry.message), 0)).toBeLessThanOrEqual(700)
    }
  })

  it('lets turns go on while the summariser hangs, ends the call in time, and drops its late answer', async () => {
    const late = Promise.withResolvers<string>()
    const bench = await Bench.open(() => late.promise)
    await sayMany(bench, 6)
    await bench.consider()
    expect(bench.compactor.stateOf(alice)).toMatchObject({ state: 'running', sinceMs: bench.clock.nowMs() })
    await sayMany(bench, 20)
    await bench.advance(999)
    expect(bench.outcomes).toEqual([])
    await bench.advance(1)
    expect(bench.outcomes).toEqual(['timeout'])
    expect(bench.jobs[0]?.signal.aborted).toBe(true)
    late.resolve('too late')
    await bench.settled()
    expect(await bench.summaries()).toEqual([])
  })

  it('drops a summary whose session was reset meanwhile, quietly', async () => {
    const answer = Promise.withResolvers<string>()
    const bench = await Bench.open(() => answer.promise)
    await sayMany(bench, 6)
    await bench.consider()
    await bench.scene.store.resetSession({ key: alice, reason: 'test', atMs: 1 })
    answer.resolve('outdated')
    await bench.settled()
    expect(bench.outcomes).toEqual(['stale'])
    expect(bench.events.map((event) => event.type)).toEqual(['summary.started'])
    expect(bench.compactor.stateOf(alice)).toMatchObject({ state: 'idle', failuresInARow: 0 })
  })

  it('reads again when the prefix was summarised meanwhile', async () => {
    const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
    const bench = await Bench.open(
      (job) => (answers[job.previous === null ? 0 : 1] as PromiseWithResolvers<string>).promise,
    )
    await sayMany(bench, 12)
    await bench.consider()
    const other = { transcript: 1, baseId: null, uptoSeq: 4, kind: 'model', text: 'other', tokens: 1, atMs: 1 } as const
    await bench.scene.store.commitSummary({ key: alice, ...other })
    answers[0]?.resolve('mine')
    await bench.settled()
    expect(bench.outcomes).toEqual(['stale'])
    expect(bench.jobs[1]?.previous).toBe('other')
    answers[1]?.resolve('mine, after the other')
    await bench.settled()
    expect((await bench.summaries()).map((summary) => summary.text)).toContain('mine, after the other')
  })

  it('asks once at a time for a session, and looks again when the session grew meanwhile', async () => {
    const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
    let asked = 0
    const bench = await Bench.open(() => {
      asked += 1
      return (answers[asked - 1] as PromiseWithResolvers<string>).promise
    })
    await sayMany(bench, 6)
    await bench.consider()
    await sayMany(bench, 6)
    await bench.consider()
    expect(asked).toBe(1)
    answers[0]?.resolve('first')
    await bench.settled()
    expect(asked).toBe(2)
    answers[1]?.resolve('second')
    await bench.settled()
    expect(await bench.summaries()).toHaveLength(2)
  })

  it('makes no more at once than it may, over all sessions', async () => {
    const bench = await Bench.open(never, { compaction: { ...compactSettings.compaction, concurrency: 1 } })
    await sayMany(bench, 6)
    await sayMany(bench, 6, bob)
    await bench.consider()
    await bench.consider(bob)
    expect(bench.jobs.map((job) => job.sessionKey)).toEqual([alice])
    expect(bench.compactor.stateOf(bob).state).toBe('scheduled')
    await bench.advance(1_000)
    expect(bench.jobs.map((job) => job.sessionKey)).toEqual([alice, bob])
  })

  it('takes one place only for a session that is considered often', async () => {
    const bench = await Bench.open(never)
    await sayMany(bench, 6)
    await sayMany(bench, 6, bob)
    for (let times = 0; times < 5; times += 1) await bench.consider()
    await bench.consider(bob)
    expect(bench.jobs.map((job) => job.sessionKey)).toEqual([alice, bob])
  })

  it('makes mechanical summaries where there is no summariser', async () => {
    const bench = await Bench.open(null)
    await sayMany(bench, 6)
    await bench.consider()
    const [summary] = await bench.summaries()
    expect(summary?.kind).toBe('mechanical')
    expect(summary?.text).toContain('8 messages (4 from the user, 4 from the assistant)')
    expect(summary?.tokens).toBeLessThan(summary?.replacedTokens ?? 0)
  })

  it('is off when it is turned off', async () => {
    const bench = await Bench.open(briefly, { compaction: { ...compactSettings.compaction, enabled: false } })
    await sayMany(bench, 6)
    await bench.consider()
    expect(bench.jobs).toEqual([])
  })

  it('abandons the summariser when it closes', async () => {
    const bench = await Bench.open(never)
    await sayMany(bench, 6)
    await bench.consider()
    await bench.compactor.close()
    expect(bench.jobs[0]?.signal.aborted).toBe(true)
    expect(bench.outcomes).toEqual([])
    await expect(bench.compactor.compactNow(alice)).rejects.toMatchObject({ code: 'GATEWAY_CLOSING' })
  })
})

describe('Compactor.compactNow', () => {
  it('makes a summary of a conversation that is within all limits', async () => {
    const bench = await Bench.open(briefly)
    await sayMany(bench, 3)
    expect(await bench.compactor.compactNow(alice)).toMatchObject({ kind: 'model', uptoSeq: 6 })
    expect(bench.compactor.stateOf(alice)).toMatchObject({ state: 'idle', lastOutcome: 'committed' })
  })

  it('says when there is nothing to do, or no session', async () => {
    const bench = await Bench.open(briefly)
    await bench.say('one')
    await expect(bench.compactor.compactNow(alice)).rejects.toMatchObject({ code: 'SUMMARY_NOTHING_TO_DO' })
    await expect(bench.compactor.compactNow(bob)).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' })
  })

  it('joins the summary in the making', async () => {
    const answer = Promise.withResolvers<string>()
    const bench = await Bench.open(() => answer.promise)
    await sayMany(bench, 6)
    await bench.consider()
    const both = Promise.all([bench.compactor.compactNow(alice), bench.compactor.compactNow(alice)])
    answer.resolve('the one')
    expect((await both).map((summary) => summary.text)).toEqual(['the one', 'the one'])
    expect(bench.jobs).toHaveLength(1)
  })

  it('does not wait for the pause after a failure, and ends it', async () => {
    let away = true
    const bench = await Bench.open(async () => {
      if (away) throw new Error('away')
      return 'back'
    })
    await sayMany(bench, 6)
    await bench.consider()
    expect(bench.compactor.stateOf(alice).state).toBe('backing off')
    await expect(bench.compactor.compactNow(alice)).rejects.toMatchObject({ code: 'SUMMARY_FAILED' })
    expect(bench.compactor.stateOf(alice)).toMatchObject({ state: 'backing off', failuresInARow: 2 })
    away = false
    expect(await bench.compactor.compactNow(alice)).toMatchObject({ text: 'back' })
    expect(bench.compactor.stateOf(alice)).toMatchObject({ state: 'idle', failuresInARow: 0 })
  })

  it('counts among those that are made at once, and gives its place in the line up with its caller', async () => {
    const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
    let asked = 0
    const bench = await Bench.open(() => (answers[asked++] as PromiseWithResolvers<string>).promise, {
      compaction: { ...compactSettings.compaction, concurrency: 1 },
    })
    await sayMany(bench, 6)
    await sayMany(bench, 6, bob)
    const first = bench.compactor.compactNow(alice)
    const caller = new AbortController()
    const givenUp = bench.compactor.compactNow(bob, caller.signal)
    const second = bench.compactor.compactNow(bob)
    await bench.settled()
    expect(bench.jobs.map((job) => job.sessionKey)).toEqual([alice])
    caller.abort(new Error('gone'))
    await expect(givenUp).rejects.toThrow('gone')
    answers[0]?.resolve('of alice')
    expect((await first).text).toBe('of alice')
    answers[1]?.resolve('of bob')
    expect((await second).text).toBe('of bob')
  })

  it('ends when its caller goes away, and that is no failure', async () => {
    const bench = await Bench.open(never)
    await sayMany(bench, 6)
    const caller = new AbortController()
    const ended = bench.compactor.compactNow(alice, caller.signal)
    await bench.settled()
    caller.abort(new Error('gone'))
    await expect(ended).rejects.toThrow('gone')
    expect(bench.compactor.stateOf(alice)).toMatchObject({ state: 'idle', failuresInARow: 0 })
    expect(bench.outcomes).toEqual([])
  })
})
