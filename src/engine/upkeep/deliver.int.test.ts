import { describe, expect, it } from 'vitest'
import { crashable, echo, eventually, newData, stage } from '../../../test/engine/opened.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { Message } from '../../model/messages.ts'
import { textOf } from '../../model/messages.ts'
import { sqliteStore } from '../../sqlite/open.ts'
import { type Deliver, DeliveryRefused, type Runner } from '../runner.ts'

const channels = new Map<string, Deliver>()
const session = stage({
  deliver: (delivery, reply, signal) => channels.get(delivery.target)?.(delivery, reply, signal) as Promise<void>,
})

/** How a delivery through this channel ended. */
async function outcomeOf(deliver: Deliver, run: Runner = echo): Promise<string | undefined> {
  const target = `telegram:${channels.size + 1}`
  channels.set(target, deliver)
  const { engine, key, submit } = session(run)
  const events = engine.events.subscribe(null, AbortSignal.timeout(15_000))
  const first = events.next() // from here on nothing is missed
  await submit('hello', { deliverTo: [target] })
  for (let item = await first; !item.done; item = await events.next()) {
    if (!('event' in item.value) || item.value.event.type !== 'delivery.settled') continue
    if (item.value.event.sessionKey === key) return item.value.event.status
  }
  return undefined
}

describe('a reply on its way out', () => {
  it('is given to its channel once, with where it goes', async () => {
    const given: string[] = []
    const status = await outcomeOf(async (delivery, reply) => {
      given.push(`${delivery.target} ${reply.map((entry) => textOf(entry.body as Message)).join()}`)
    })
    expect(status).toBe('sent')
    expect(given).toEqual([expect.stringMatching(/^telegram:\d+ echo: hello$/)])
  })
  it('is told of a failure as well, with its reason and no entries', async () => {
    const given: unknown[] = []
    const run: Runner = () => Promise.reject(new HoldfastError('MODEL_EMPTY'))
    const status = await outcomeOf(async ({ outcome }, reply) => void given.push([outcome?.code, reply]), run)
    expect([status, given]).toEqual(['sent', [['MODEL_EMPTY', []]]])
  })
  it('is tried again when it certainly was not sent', async () => {
    let attempts = 0
    const status = await outcomeOf(async (delivery) => {
      attempts += 1
      expect(delivery.attempts).toBe(attempts)
      if (attempts < 3) throw new DeliveryRefused('not now')
    })
    expect([status, attempts]).toEqual(['sent', 3])
  })
  it('has failed when it was refused as often as allowed', async () => {
    let attempts = 0
    const status = await outcomeOf(async () => {
      attempts += 1
      throw new DeliveryRefused('never')
    })
    expect([status, attempts]).toEqual(['failed', 3])
  })
  it('is unknown, and not tried again, after any other error', async () => {
    let attempts = 0
    const status = await outcomeOf(async () => {
      attempts += 1
      throw new Error('connection reset')
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect([status, attempts]).toEqual(['unknown', 1])
  })
  it('is unknown when its channel does not answer in time', async () => {
    expect(await outcomeOf(() => new Promise(() => {}))).toBe('unknown')
  })
  it('is unknown, and not sent again, when the process ended meanwhile', async () => {
    const data = await newData()
    const { open, crash } = crashable(sqliteStore(data.directory))
    const begun = Promise.withResolvers<void>()
    const before = await data.open({
      run: echo,
      store: open,
      deliver: () => {
        begun.resolve()
        return new Promise(() => {})
      },
    })
    await before.submit({ key: 'alice', messages: 'hello', deliverTo: ['telegram:42'] })
    await begun.promise
    await crash()
    let sent = 0
    const engine = await data.open({
      run: echo,
      deliver: async () => {
        sent += 1
      },
    })
    await engine.submit({ key: 'alice', messages: 'again', deliverTo: ['telegram:42'] })
    await eventually(() => sent === 1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(sent).toBe(1)
  })
})
