import { describe, expect, it } from 'vitest'
import {
  counting,
  echo,
  eventually,
  gate,
  newData,
  stage,
  talk,
  untilAborted,
  withTurns,
} from '../../../test/engine/opened.ts'
import { parseSessionKey } from '../../model/keys.ts'
import { type Message, textOf } from '../../model/messages.ts'
import type { RunningTurn } from '../runner.ts'

const session = stage()
const alice = parseSessionKey('alice')

describe('cancelling', () => {
  it('ends a waiting turn at once', async () => {
    const { run, release } = gate()
    const { engine, submit } = session(run)
    const first = await submit('first')
    const second = await submit('second')
    expect(await engine.cancel(second.turn.id, 'not needed')).toMatchObject({ status: 'cancelled' })
    expect((await engine.settled(second.turn.id)).turn.outcome?.code).toBe('TURN_CANCELLED')
    release('first')
    expect((await engine.settled(first.turn.id)).turn.status).toBe('done')
    await expect(engine.cancel(second.turn.id, 'again')).rejects.toMatchObject({ code: 'TURN_SETTLED' })
  })
  it('reaches a running turn through its signal, and the next one starts', async () => {
    const { engine, key, submit, ask } = session((turn) =>
      textOf(turn.messages[0] as Message) === 'first' ? untilAborted(turn) : echo(turn),
    )
    const { turn } = await submit('first')
    await eventually(async () => (await engine.why(key)).running !== null)
    await engine.cancel(turn.id, 'enough')
    expect((await engine.settled(turn.id)).turn).toMatchObject({ status: 'cancelled', cancelRequested: 'enough' })
    expect((await ask('second')).turn.status).toBe('done')
  })
  it('also when it comes while the turn is just being started', async () => {
    const { engine, submit } = session(untilAborted)
    for (let round = 0; round < 20; round += 1) {
      const { turn } = await submit(`m${round}`)
      if (round % 2 === 1) await engine.store.readTurn(turn.id) // a claim takes about as long
      await engine.cancel(turn.id, 'at once')
      expect((await engine.settled(turn.id)).turn.status).toBe('cancelled')
    }
  })
})

describe('a runner that ignores its signal', () => {
  it('is fenced off: the next turn starts, its late writes are refused, its late answer is dropped', async () => {
    const { run, release, begun } = gate()
    const { engine, submit, transcript, counted } = session(run)
    const [fencedBefore, { fencedWrites }] = [counted.fenced, await engine.store.statistics()]
    const first = await submit('first')
    const second = await submit('second')
    await eventually(() => begun.length === 1)
    await engine.cancel(first.turn.id, 'enough')
    expect((await engine.settled(first.turn.id)).turn.status).toBe('cancelled')
    await eventually(() => begun.length === 2)
    const late = begun[0] as RunningTurn
    expect(late.signal.aborted).toBe(true)
    await expect(late.append([{ role: 'assistant', content: 'late' }])).rejects.toMatchObject({ code: 'FENCED' })
    release('first')
    release('second')
    expect((await engine.settled(second.turn.id)).turn.status).toBe('done')
    expect(await transcript()).toEqual(['first', '(TURN_CANCELLED)', 'second', 'answer to second'])
    expect(counted.fenced - fencedBefore).toBe(1)
    expect((await engine.store.statistics()).fencedWrites - fencedWrites).toBe(1)
  })
  it('ends by its time limit, and other sessions never notice', async () => {
    const counted = counting()
    const engine = await (await newData()).open({
      run: (turn) => (turn.sessionKey === alice ? new Promise<never>(() => {}) : echo(turn)),
      settings: withTurns({ timeLimitMs: 1_000, stallLimitMs: 1_000 }),
      telemetry: counted.telemetry,
    })
    const { turn } = await engine.submit({ key: alice, messages: 'hang' })
    expect((await talk(engine, parseSessionKey('bob')).ask('hi')).turn.status).toBe('done')
    expect((await engine.settled(turn.id)).turn).toMatchObject({
      status: 'failed',
      outcome: { code: 'TURN_TIME_LIMIT', facts: { limitMs: 1_000 } },
    })
    expect(counted.fenced).toBe(1)
    expect(counted.settled).toEqual(['done', 'TURN_TIME_LIMIT'])
  })
})

describe('progress', () => {
  it('keeps a slow turn alive, whether it is words or notes, and its end is a stall', async () => {
    const engine = await (await newData()).open({
      run: async (turn) => {
        for (let round = 0; round < 12; round += 1) {
          await new Promise((resolve) => setTimeout(resolve, 100))
          if (round % 2 === 0) turn.emit('.')
          else turn.progress(`round ${round}`)
        }
        return textOf(turn.messages[0] as Message) === 'slowly' ? 'done' : untilAborted(turn)
      },
      settings: withTurns({ stallLimitMs: 800 }),
    })
    const [slow, stalled] = await Promise.all([
      talk(engine, alice).ask('slowly'),
      talk(engine, parseSessionKey('bob')).ask('hang'),
    ])
    expect(slow.turn.status).toBe('done')
    expect(stalled.turn.outcome).toMatchObject({ code: 'TURN_STALLED', facts: { limitMs: 800 } })
  })
})

describe('a reset', () => {
  it('ends the running turn, and what waits goes on in the new transcript', async () => {
    const { run, release, begun } = gate()
    const { engine, key, submit, transcript, counted } = session(run)
    const fencedBefore = counted.fenced
    const first = await submit('first')
    const second = await submit('second')
    await eventually(() => begun.length === 1)
    const { cancelledTurnId, session: fresh } = await engine.reset(key, 'a fresh start')
    expect([cancelledTurnId, fresh.transcript]).toEqual([first.turn.id, 2])
    expect((await engine.settled(first.turn.id)).turn.status).toBe('cancelled')
    expect(begun[0]?.signal.aborted).toBe(true)
    release('second')
    expect((await engine.settled(second.turn.id)).turn).toMatchObject({ status: 'done', transcript: 2 })
    await expect(begun[0]?.append([{ role: 'assistant', content: 'late' }])).rejects.toMatchObject({ code: 'FENCED' })
    release('first')
    expect(await transcript()).not.toContain('late')
    expect(counted.fenced - fencedBefore).toBe(1)
  })
})
