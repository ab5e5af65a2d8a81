import { describe, expect, it } from 'vitest'
import { parseSessionKey } from '../../model/keys.ts'
import { BoardReader, BoardWriter } from './board.ts'

const turn = (id: string, key = 'alice') => ({ id, sessionKey: parseSessionKey(key), lane: 'main' as const })
function board() {
  const writer = new BoardWriter()
  return { writer, reader: new BoardReader(writer.memory) }
}

describe('the board', () => {
  it('shows who runs, and the last note', () => {
    const { writer, reader } = board()
    const slot = writer.take(turn('t1')) as number
    writer.move(slot, 'asks the model')
    writer.move(slot, null)
    const [seat] = reader.read(5).turns
    expect(seat).toMatchObject({ slot, moves: 2 })
    expect(seat && reader.whoIs(seat)).toEqual({
      turnId: 't1',
      sessionKey: 'agent:main:alice',
      lane: 'main',
      note: 'asks the model',
    })
  })
  it('holds the longest keys and notes, and cuts no character', () => {
    const { writer, reader } = board()
    const key = `agent:main:${'k'.repeat(240)}`
    const slot = writer.take(turn('0'.repeat(36), key)) as number
    writer.move(slot, '🙂'.repeat(100))
    const who = reader.whoIs(reader.read(0).turns[0] as never)
    expect(who).toMatchObject({ sessionKey: key, lane: 'main', note: '🙂'.repeat(100) })
    writer.move(slot, '你'.repeat(300))
    expect(reader.whoIs(reader.read(0).turns[0] as never)?.note).toBe('你'.repeat(200))
  })
  it('says nothing of a turn that has moved or left since the look', () => {
    const { writer, reader } = board()
    const slot = writer.take(turn('t1')) as number
    const [seat] = reader.read(0).turns
    writer.move(slot, 'on')
    expect(seat && reader.whoIs(seat)).toBe(null)
    const [moved] = reader.read(0).turns
    writer.leave(slot)
    writer.take(turn('t2'))
    expect(moved && reader.whoIs(moved)).toBe(null)
  })
  it('gives free places again, so that it never grows beyond what ran at once', () => {
    const { writer, reader } = board()
    for (let round = 0; round < 10_000; round += 1) writer.leave(writer.take(turn(`t${round}`)) as number)
    expect(writer.take(turn('last'))).toBe(0)
    expect(reader.read(0).turns).toHaveLength(1)
  })
  it('leaves turns unwatched that find no place', () => {
    const { writer } = board()
    let taken = 0
    while (writer.take(turn(`t${taken}`)) !== null) taken += 1
    expect(taken).toBe(4_096)
    writer.leave(7)
    expect(writer.take(turn('next'))).toBe(7)
  })
  it('wakes who waits for its end', () => {
    const { writer, reader } = board()
    expect(reader.waited(1)).toBe(false)
    writer.close()
    expect(reader.waited(60_000)).toBe(true)
  })
  it('holds limits of years', () => {
    const { writer, reader } = board()
    writer.limits({ stuckAfterMs: 10 * 365 * 86_400_000, wedgedAfterMs: 5_000 })
    expect(reader.limits).toEqual({ stuckAfterMs: 2 ** 31 - 1, wedgedAfterMs: 5_000 })
  })
})
