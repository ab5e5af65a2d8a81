import { describe, expect, it } from 'vitest'
import { ManualClock } from '../testing/clock.ts'
import { EventLog } from './event-log.ts'
import type { GatewayEvent } from './events.ts'

const recovery = (turns: number): GatewayEvent => ({ type: 'recovery.planned', turns })
const log = (process = 'p1') => new EventLog(process, new ManualClock())

/** Everything up to where the log would wait. */
async function take(log: EventLog, afterId: string | null): Promise<(string | number)[]> {
  const stop = new AbortController()
  const taken: (string | number)[] = []
  const reading = (async () => {
    for await (const item of log.subscribe(afterId, stop.signal)) {
      taken.push('gap' in item ? 'gap' : (item.event as { turns: number }).turns)
    }
  })()
  await new Promise((resolve) => setImmediate(resolve))
  stop.abort()
  await reading
  return taken
}

describe('the event log', () => {
  it('goes on after the last event that was seen', async () => {
    const events = log()
    for (const turns of [1, 2, 3]) events.publish(recovery(turns))
    expect(await take(events, 'p1-1')).toEqual([2, 3])
    expect(await take(events, 'p1-3')).toEqual([])
  })
  it('begins with the next event without one', async () => {
    const events = log()
    events.publish(recovery(1))
    expect(await take(events, null)).toEqual([])
  })
  it.each(['p0-2', 'p1-9', 'nonsense', ''])(
    'says that events are missing after %j, and gives all it has',
    async (id) => {
      const events = log()
      events.publish(recovery(1))
      expect(await take(events, id)).toEqual(['gap', 1])
    },
  )
  it('gives a follower that fell behind a gap, and keeps no queue for it', async () => {
    const events = log()
    const reader = events.subscribe(null)
    const first = reader.next()
    for (let turns = 0; turns <= 20_000; turns += 1) events.publish(recovery(turns))
    expect((await first).value).toEqual({ gap: true })
    expect((await reader.next()).value).toMatchObject({ event: recovery(10_001) })
  })
  it('ends its followers when it closes, after what they have not seen', async () => {
    const events = log()
    const reader = events.subscribe(null)
    const first = reader.next()
    events.publish(recovery(1))
    events.close()
    expect((await first).value).toMatchObject({ id: 'p1-1' })
    expect((await reader.next()).done).toBe(true)
  })
})
