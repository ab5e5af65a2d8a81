import { afterEach, describe, expect, it } from 'vitest'
import { eventually, type Fault, faulty, gate, stage, untilAborted } from '../../test/engine/opened.ts'

const faults: Fault[] = []
const session = stage({ wrap: (open) => faulty(open, faults) })

afterEach(() => {
  faults.length = 0
})

/** Carried out, and answered with a disk error. */
const unknown = (verb: Fault['verb']): Fault => ({ verb, times: 1, code: 'STORE_IO', after: true })

describe('who waits for a turn hears of its end, although the disk hid that it was written:', () => {
  it('a runner that is cut off', async () => {
    const { run } = gate()
    const { engine, submit } = session(run)
    const { turn } = await submit('held')
    await eventually(async () => (await engine.store.readTurn(turn.id))?.turn.status === 'running')
    const ended = engine.settled(turn.id)
    faults.push(unknown('revokeTurn'))
    await engine.cancel(turn.id, 'enough')
    expect((await ended).turn.status).toBe('cancelled')
  })
  it('a waiting turn that is cancelled', async () => {
    const { run, release } = gate()
    const { engine, submit } = session(run)
    await submit('first')
    const { turn } = await submit('second')
    const ended = engine.settled(turn.id)
    faults.push(unknown('cancelTurn'))
    await expect(engine.cancel(turn.id, 'enough')).rejects.toMatchObject({ code: 'STORE_IO' })
    expect((await ended).turn.status).toBe('cancelled')
    release('first')
  })
  it('a running turn whose session is reset', async () => {
    const { engine, key, submit } = session(untilAborted)
    const { turn } = await submit('held')
    await eventually(async () => (await engine.store.readTurn(turn.id))?.turn.status === 'running')
    const ended = engine.settled(turn.id)
    faults.push(unknown('resetSession'))
    await expect(engine.reset(key, 'anew')).rejects.toMatchObject({ code: 'STORE_IO' })
    expect((await ended).turn.status).toBe('cancelled')
  })
  it('a reset after which the turn cannot be read at once', async () => {
    const { engine, key, submit } = session(untilAborted)
    const { turn } = await submit('held')
    await eventually(async () => (await engine.store.readTurn(turn.id))?.turn.status === 'running')
    const ended = engine.settled(turn.id)
    await new Promise((resolve) => setTimeout(resolve, 50)) // the follower has read its turn
    faults.push({ verb: 'readTurn', times: 1, code: 'STORE_IO' })
    await engine.reset(key, 'anew')
    expect((await ended).turn.status).toBe('cancelled')
    await eventually(() => engine.health().ready)
  })
})
