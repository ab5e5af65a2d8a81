import { afterEach, describe, expect, it } from 'vitest'
import { echo, eventually, type Fault, faulty, stage } from '../../test/engine/opened.ts'
import type { Runner } from './runner.ts'

const faults: Fault[] = []
const stageWithFaults = stage({ wrap: (open) => faulty(open, faults) })

function session(fault: Fault, run: Runner = echo) {
  faults.push(fault)
  return stageWithFaults(run)
}

afterEach(() => {
  faults.length = 0
})

describe('while the store cannot write', () => {
  it('a finished answer is kept, and stored when it can again', async () => {
    const fault: Fault = { verb: 'settleTurn', times: 3, code: 'STORE_FULL' }
    const { engine, submit } = session(fault)
    const { turn } = await submit('hello')
    await eventually(() => engine.health().because?.code === 'STORE_FULL')
    const { reply } = await engine.settled(turn.id)
    expect(reply.map((entry) => entry.body)).toEqual([{ role: 'assistant', content: 'echo: hello' }])
    expect(fault.times).toBe(0)
    expect(engine.health()).toMatchObject({ ready: true, because: null })
  })
  it('an answer whose storing gave an error but was done is stored once', async () => {
    const { ask, transcript } = session({ verb: 'settleTurn', times: 1, code: 'STORE_IO', after: true })
    expect((await ask('hello')).turn.status).toBe('done')
    expect(await transcript()).toEqual(['hello', 'echo: hello'])
  })
  it('a runner that appends waits, and what it appends is stored once', async () => {
    const { ask, transcript } = session(
      { verb: 'appendEntries', times: 2, code: 'STORE_IO', after: true },
      async (turn) => {
        await turn.append([{ role: 'assistant', content: 'on the way' }])
        return 'there'
      },
    )
    expect((await ask('go')).turn.status).toBe('done')
    expect(await transcript()).toEqual(['go', 'on the way', 'there'])
  })
  it('a message is refused with the reason, and its sender knows that it was not taken', async () => {
    const { engine, key, submit } = session({ verb: 'admitTurn', times: 1, code: 'STORE_FULL' })
    await expect(submit('hello')).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(await engine.store.readSession(key)).toBeNull()
  })
  it('turns start again by themselves afterwards', async () => {
    const { engine, ask } = session({ verb: 'claimTurn', times: 4, code: 'STORE_IO' })
    expect((await ask('hello')).turn.status).toBe('done')
    await eventually(() => engine.health().ready)
  })
})

it('a turn whose start was lost to a disk error ends as failed, and its session goes on', async () => {
  const { engine, ask, submit } = session({ verb: 'claimTurn', times: 1, code: 'STORE_IO', after: true })
  const { turn } = await submit('lost')
  expect((await engine.settled(turn.id)).turn).toMatchObject({ status: 'failed', outcome: { code: 'STORE_IO' } })
  expect((await ask('next')).turn.status).toBe('done')
})

it('an answer that the store refuses for another reason ends its turn as failed, and the session goes on', async () => {
  const { ask, transcript } = session({ verb: 'settleTurn', times: 1, code: 'INTERNAL' })
  expect((await ask('one')).turn).toMatchObject({ status: 'failed', outcome: { code: 'INTERNAL' } })
  expect((await ask('two')).turn.status).toBe('done')
  expect(await transcript()).toEqual(['one', '(INTERNAL)', 'two', 'echo: two'])
})

it('a context that cannot be read ends the turn with the store’s own code, and is never taken for an empty one', async () => {
  const { ask } = session({ verb: 'readContext', times: 1, code: 'STORE_CORRUPT' })
  expect((await ask('hello')).turn).toMatchObject({ status: 'failed', outcome: { code: 'STORE_CORRUPT' } })
})
