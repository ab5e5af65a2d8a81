import { describe, expect, it } from 'vitest'
import { eventually, gate, newData, stage } from '../../test/engine/opened.ts'
import { parseSessionKey } from '../model/keys.ts'

const session = stage()

describe('why', () => {
  it('says who has the session, what it last did, what waits and why, and what happens next', async () => {
    const { run, release } = gate()
    const { engine, key, submit } = session((turn) => {
      turn.progress('asking the model')
      return run(turn)
    })
    const first = await submit('first', { source: 'telegram' })
    const second = await submit('second', { source: 'cron' })
    await eventually(async () => (await engine.why(key)).running?.lastProgressNote === 'asking the model')
    const report = await engine.why(key)
    expect(report).toMatchObject({
      lease: { turnId: first.turn.id, holder: { pid: process.pid }, operation: 'turn' },
      running: { turn: { id: first.turn.id }, operation: 'turn', attempts: 1, cancelRequested: null },
      waiting: [{ turnId: second.turn.id, cause: 'session', source: 'cron' }],
      compaction: { state: 'idle' },
      store: { writable: true },
    })
    expect(report.next).toContain('next turn starts')
    release('first')
    release('second')
    await engine.settled(second.turn.id)
    expect(await engine.why(key)).toMatchObject({ lease: null, running: null, waiting: [] })
    expect((await engine.why(key)).next).toContain('Nothing waits')
  })
  it('of a session that is not there is an error with a name', async () => {
    const { engine } = session(async () => '')
    await expect(engine.why(parseSessionKey('nobody'))).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' })
  })
  it('says that no turns are run here, when none are', async () => {
    const engine = await (await newData()).open({ run: null })
    await engine.submit({ key: 'alice', messages: 'hello' })
    expect((await engine.why(parseSessionKey('alice'))).next).toContain('not run here')
  })
})
