import { describe, expect, it } from 'vitest'
import type { TurnDetail } from '../../store/turns.ts'
import type { TurnEvent } from '../events.ts'
import { Live } from './live.ts'

const done = { turn: { status: 'done' }, reply: [] } as unknown as TurnDetail

async function readAll(events: AsyncIterable<TurnEvent>): Promise<{ text: string; types: string[] }> {
  let text = ''
  const types: string[] = []
  for await (const event of events) {
    types.push(event.type)
    if (event.type === 'delta') text += event.delta.content
  }
  return { text, types }
}

describe('followers of a turn', () => {
  it('see everything from the start, however late they join', async () => {
    const live = new Live()
    using early = live.join('t')
    const first = readAll(early.events(undefined))
    live.begin('t', 1)
    const words = Array.from({ length: 3_000 }, (_, index) => `${index} `)
    for (const word of words) {
      live.emit('t', { content: word })
      await null
    }
    using late = live.join('t')
    const second = readAll(late.events(undefined))
    await null
    live.end('t', done)
    expect((await first).text).toBe(words.join(''))
    expect((await second).text).toBe(words.join(''))
    expect((await second).types.at(-1)).toBe('settled')
  })
  it('that join late get what the others have passed in fewer pieces', async () => {
    const live = new Live()
    live.begin('t', 1)
    for (let index = 0; index < 3_000; index += 1) live.emit('t', { content: 'x' })
    using late = live.join('t')
    live.end('t', done)
    const { text, types } = await readAll(late.events(undefined))
    expect(text).toHaveLength(3_000)
    expect(types.length).toBeLessThan(1_000)
  })
  it('keep deltas with other fields whole', async () => {
    const live = new Live()
    live.begin('t', 1)
    for (let index = 0; index < 600; index += 1) live.emit('t', { tool_calls: [{ index }] })
    using late = live.join('t')
    live.end('t', done)
    expect((await readAll(late.events(undefined))).types.filter((type) => type === 'delta')).toHaveLength(600)
  })
  it('who stop reading hold up nobody', async () => {
    const live = new Live()
    using slow = live.join('t')
    const reader = slow.events(undefined)
    live.begin('t', 1)
    await reader.next()
    for (let index = 0; index < 2_000; index += 1) live.emit('t', { content: 'x' })
    using other = live.join('t')
    live.end('t', done)
    expect((await readAll(other.events(undefined))).text).toHaveLength(2_000)
    expect((await readAll(reader)).text).toHaveLength(2_000)
  })
  it('are told when the answer begins again', async () => {
    const live = new Live()
    using seat = live.join('t')
    live.begin('t', 1)
    live.begin('t', 2)
    live.end('t', done)
    expect((await readAll(seat.events(undefined))).types).toEqual(['started', 'restarted', 'started', 'settled'])
  })
  it('that join late are not shown what is void', async () => {
    const live = new Live()
    live.begin('t', 1)
    for (let index = 0; index < 600; index += 1) live.emit('t', { content: 'x' })
    live.restart('t')
    for (let index = 0; index < 600; index += 1) live.emit('t', { content: 'y' })
    using seat = live.join('t')
    live.end('t', done)
    const { text, types } = await readAll(seat.events(undefined))
    expect(text.replaceAll('y', '')).toBe('')
    expect(types.filter((type) => type === 'restarted')).toHaveLength(1)
  })
  it('get the error when the end cannot be told', async () => {
    const live = new Live()
    using seat = live.join('t')
    live.begin('t', 1)
    live.end('t', new Error('the disk'))
    await expect(readAll(seat.events(undefined))).rejects.toThrow('the disk')
    await expect(seat.ended).rejects.toThrow('the disk')
  })
})

it.each([
  ['in large pieces', 'x'.repeat(1024 ** 2), 33],
  ['in very many small ones', 'x', 600_000],
])('an answer that outgrows its bound %s is refused', (_, content, pieces) => {
  const live = new Live()
  live.begin('t', 1)
  expect(() => {
    for (let index = 0; index < pieces; index += 1) live.emit('t', { content })
  }).toThrow(expect.objectContaining({ code: 'RUNNER_FAILED' }))
})
