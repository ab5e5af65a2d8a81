import { expect, it } from 'vitest'
import { systemClock } from '../host/clock.ts'
import { eventFrame, paced, streamResponse } from './stream.ts'

const tick = () => new Promise((resolve) => setTimeout(resolve, 0))

/** Every wait is over at once, until told otherwise. */
const hurried = { ...systemClock, sleep: (_ms: number, signal?: AbortSignal) => systemClock.sleep(0, signal) }

it('writes events that readers of Server-Sent Events understand', () => {
  expect(eventFrame({ text: 'two\nlines' }, { id: 'a-1', event: 'delta' })).toBe(
    'id: a-1\nevent: delta\ndata: {"text":"two\\nlines"}\n\n',
  )
})

it('says that it waits whenever nothing comes in time', async () => {
  const held = Promise.withResolvers<string>()
  async function* source() {
    yield 'first'
    yield await held.promise
  }
  const found = paced(source(), hurried, 1)
  expect((await found.next()).value).toBe('first')
  expect((await found.next()).value).toBeNull()
  expect((await found.next()).value).toBeNull()
  held.resolve('second')
  await tick()
  expect((await found.next()).value).toBe('second')
  expect((await found.next()).done).toBe(true)
})

it('passes the error of its source on', async () => {
  async function* source() {
    yield 1
    throw new Error('broken')
  }
  const found = paced(source(), systemClock, 1_000)
  await found.next()
  await expect(found.next()).rejects.toThrow('broken')
})

it('ends its source when it is ended', async () => {
  let ended = false
  async function* source() {
    try {
      yield 1
      yield 2
    } finally {
      ended = true
    }
  }
  for await (const _ of paced(source(), systemClock, 1_000)) break
  expect(ended).toBe(true)
})

it('makes frames only as fast as they are read, and stops when the reader has gone', async () => {
  let made = 0
  async function* frames() {
    for (;;) {
      made += 1
      yield `${made}`
    }
  }
  const stop = new AbortController()
  const response = streamResponse(frames(), stop)
  await tick()
  expect(made).toBe(0)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  await reader.read()
  await reader.read()
  await tick()
  expect(made).toBe(2)
  await reader.cancel()
  expect(stop.signal.aborted).toBe(true)
})
