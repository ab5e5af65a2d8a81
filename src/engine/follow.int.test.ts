import { describe, expect, it } from 'vitest'
import { echo, eventually, stage } from '../../test/engine/opened.ts'
import type { Holdfast } from './holdfast.ts'

const session = stage()

async function read(engine: Holdfast, turnId: string, signal?: AbortSignal): Promise<string[]> {
  const seen: string[] = []
  for await (const event of engine.follow(turnId, signal)) {
    seen.push(event.type === 'delta' ? `+${event.delta.content}` : event.type)
  }
  return seen
}

describe('following a turn', () => {
  it('shows the whole answer, from the first word, to who joins late and to who joined before it began', async () => {
    const halfway = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const { engine, submit } = session(async (turn) => {
      turn.emit('one ')
      turn.emit('two ')
      halfway.resolve()
      await goOn.promise
      turn.emit({ content: 'three' })
      return 'one two three'
    })
    const { turn } = await submit('count')
    const early = read(engine, turn.id)
    await halfway.promise
    const late = read(engine, turn.id)
    goOn.resolve()
    const all = ['started', '+one ', '+two ', '+three', 'settled']
    expect(await early).toEqual(all)
    expect(await late).toEqual(all)
    expect(await read(engine, turn.id)).toEqual(['settled'])
  })
  it('tells when the runner begins its answer again', async () => {
    const followed = Promise.withResolvers<void>()
    const { engine, submit } = session(async (turn) => {
      turn.emit('half an ans')
      turn.restart()
      turn.emit('an answer')
      await followed.promise
      return 'an answer'
    })
    const { turn } = await submit('hello')
    const following = engine.follow(turn.id)[Symbol.asyncIterator]()
    const seen = [await following.next(), await following.next(), await following.next(), await following.next()]
    followed.resolve()
    expect(seen.map(({ value }) => value.type)).toEqual(['started', 'delta', 'restarted', 'delta'])
    expect((await following.next()).value).toMatchObject({ type: 'settled', turn: { status: 'done' } })
  })
  it('gives the stored reply, after the commit', async () => {
    const { engine, submit } = session(echo)
    const { turn } = await submit('hello')
    for await (const event of engine.follow(turn.id)) {
      if (event.type !== 'settled') continue
      expect(event.turn.status).toBe('done')
      expect(event.reply).toEqual((await engine.store.readTurn(turn.id))?.reply)
      expect(event.reply).toHaveLength(1)
    }
  })
  it('of a turn that is not there is an error with a name', async () => {
    const { engine } = session(echo)
    await expect(read(engine, 'none')).rejects.toMatchObject({ code: 'TURN_NOT_FOUND' })
    await expect(engine.settled('none')).rejects.toMatchObject({ code: 'TURN_NOT_FOUND' })
  })
  it('ends with the follower’s signal, and the turn goes on', async () => {
    const goOn = Promise.withResolvers<string>()
    const { engine, submit } = session(() => goOn.promise)
    const { turn } = await submit('wait')
    const gone = new AbortController()
    const reading = read(engine, turn.id, gone.signal)
    await eventually(async () => (await engine.store.readTurn(turn.id))?.turn.status === 'running')
    gone.abort()
    await expect(reading).rejects.toThrow('aborted')
    goOn.resolve('done')
    expect((await engine.settled(turn.id)).turn.status).toBe('done')
  })
})

it('the event log tells what happens to a turn, its end last', async () => {
  const { engine, key, ask } = session(echo)
  const stop = new AbortController()
  const seen: string[] = []
  const reading = (async () => {
    for await (const item of engine.events.subscribe(null, stop.signal)) {
      if ('event' in item && 'sessionKey' in item.event && item.event.sessionKey === key) seen.push(item.event.type)
    }
  })()
  await ask('hello')
  await eventually(() => seen.length === 3)
  stop.abort()
  await reading
  expect(seen.toSorted()).toEqual(['turn.admitted', 'turn.settled', 'turn.started'])
  expect(seen.at(-1)).toBe('turn.settled')
})
