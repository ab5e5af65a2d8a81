import { describe, expect, it } from 'vitest'
import { echo, eventually, gate, stage } from '../../../test/engine/opened.ts'
import { parseSessionKey } from '../../model/keys.ts'
import { type Message, textOf } from '../../model/messages.ts'
import type { Runner } from '../runner.ts'

const session = stage()
/** The turn of these words hangs and ignores its signal; the others are answered. */
const hanging =
  (words: string, hang: Runner): Runner =>
  (turn) =>
    textOf(turn.messages[0] as Message) === words ? hang(turn) : echo(turn)

describe('releasing a session', () => {
  it('ends the turn that runs, without its help, and keeps the queue, which goes on in order', async () => {
    const { run, release, begun } = gate()
    const { engine, key, submit, transcript } = session(hanging('first', run))
    const first = await submit('first')
    await eventually(() => begun.length === 1)
    const waiting = [await submit('second'), await submit('third')]
    const turn = await engine.release(key, 'it hangs')
    expect(turn).toMatchObject({
      ...{ id: first.turn.id, status: 'failed', cancelRequested: 'it hangs' },
      outcome: { code: 'TURN_RELEASED', facts: {} },
    })
    expect((await engine.settled(first.turn.id)).turn.status).toBe('failed')
    for (const { turn } of waiting) expect((await engine.settled(turn.id)).turn.status).toBe('done')
    await expect(begun[0]?.append([{ role: 'assistant', content: 'late' }])).rejects.toMatchObject({ code: 'FENCED' })
    expect(begun[0]?.signal.aborted).toBe(true)
    release('first')
    expect(await transcript()).toEqual([
      'first',
      '(TURN_RELEASED)',
      ...['second', 'echo: second', 'third', 'echo: third'],
    ])
  })
  it('leaves every other session alone', async () => {
    const { run, release, begun } = gate()
    const { engine, submit } = session(run)
    const mine = await submit('mine')
    await eventually(() => begun.length === 1)
    const other = session(run)
    const theirs = await other.submit('theirs')
    await eventually(() => begun.length === 2)
    await engine.release(other.key, 'wrong')
    expect((await engine.settled(theirs.turn.id)).turn.outcome?.code).toBe('TURN_RELEASED')
    release('mine')
    expect((await engine.settled(mine.turn.id)).turn.status).toBe('done')
  })
  it('that nobody holds changes nothing, and one that is not there is an error', async () => {
    const { engine, key, ask, transcript } = session(echo)
    await ask('hello')
    expect(await engine.release(key, 'why not')).toBe(null)
    expect(await transcript()).toEqual(['hello', 'echo: hello'])
    await expect(engine.release(parseSessionKey('nobody'), 'x')).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' })
  })
  it('in the moment in which its turn ends by itself has one outcome', async () => {
    const { engine, key, submit } = session(echo)
    for (let round = 0; round < 20; round += 1) {
      const { turn } = await submit(`m${round}`)
      if (round % 2 === 1) await engine.store.readTurn(turn.id)
      const released = await engine.release(key, 'now')
      const { status } = (await engine.settled(turn.id)).turn
      expect(status).toBe(released === null ? 'done' : 'failed')
    }
  })
})

it('cancelling a running turn keeps the queue of its session', async () => {
  const { run, release, begun } = gate()
  const { engine, submit } = session(hanging('first', run))
  const first = await submit('first')
  await eventually(() => begun.length === 1)
  const waiting = [await submit('second'), await submit('third')]
  await engine.cancel(first.turn.id, 'enough')
  for (const { turn } of [first, ...waiting]) await engine.settled(turn.id)
  const statuses = await Promise.all([first, ...waiting].map(async ({ turn }) => (await engine.settled(turn.id)).turn))
  expect(statuses.map(({ status }) => status)).toEqual(['cancelled', 'done', 'done'])
  release('first')
})
