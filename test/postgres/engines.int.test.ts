import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Holdfast, type HoldfastOptions, openHoldfast } from '../../src/engine/holdfast.ts'
import type { Runner } from '../../src/engine/runner.ts'
import { parseSessionKey } from '../../src/model/keys.ts'
import { postgresStore } from '../../src/postgres/open.ts'
import { problemsOf, wordsOf } from '../../src/testing/contract/scene.ts'
import { shortLimits } from '../engine/opened.ts'
import { newSchema } from './ground.ts'
import { Server } from './server.ts'

let server: Server
beforeAll(async () => {
  server = await Server.start()
})
afterAll(() => server.stop())

const key = parseSessionKey('alice')
const eventually = { timeout: 20_000 }
const echo: Runner = async (turn) => `${String(turn.messages.at(-1)?.content)}, ${turn.attempt}`

/** Engines on one schema, as gateways on several machines would be. All of them are closed and the store verified afterwards. */
async function cluster() {
  const url = await newSchema(server)
  const opened: Holdfast[] = []
  onTestFinished(async () => {
    await Promise.all(opened.map((engine) => engine.close()))
    const last = await openHoldfast({ store: postgresStore(url), run: null })
    const report = await last.store.verify({ quick: false, atMs: Date.now() })
    await last.close()
    expect(problemsOf(report)).toEqual([])
  })
  const open = async (run: Runner | null, more: Partial<HoldfastOptions> = {}) => {
    const engine = await openHoldfast({ store: postgresStore(url), settings: shortLimits, watch: false, run, ...more })
    opened.push(engine)
    return engine
  }
  const schema = new URL(url).searchParams.get('schema') as string
  /** As if the renewals of a holder never came, though it goes on with them, until the signal. */
  const lapse = async (id: string, over: AbortSignal) => {
    while (!over.aborted) {
      await server.query(`UPDATE ${schema}.holder SET renewed_at = now() - INTERVAL '1 hour' WHERE id = '${id}'`)
      await sleep(100)
    }
  }
  return { open, lapse, schema }
}

/** A runner that waits until it is let go, or told to stop. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { promise: started, resolve: begin } = Promise.withResolvers<void>()
  const run: Runner = async (turn) => {
    begin()
    turn.emit('so ')
    await Promise.race([promise, new Promise((_, reject) => turn.signal.addEventListener('abort', reject))])
    turn.emit('be it')
    return 'so be it'
  }
  return { run, started, release: resolve }
}

describe('engines that share a database', () => {
  it('answer what was given to another, and tell who waits there', async () => {
    const { open } = await cluster()
    const front = await open(null)
    await open(echo)
    const { turn } = await front.submit({ key, messages: 'hello' })
    const { reply } = await front.settled(turn.id, AbortSignal.timeout(20_000))
    expect(wordsOf(reply)).toEqual(['hello, 1'])
  })

  it('run one turn of a session at a time, whoever gets its messages', async () => {
    const { open } = await cluster()
    let running = 0
    let most = 0
    const run: Runner = async (turn) => {
      running += 1
      most = Math.max(most, running)
      await sleep(20)
      running -= 1
      return String(turn.messages.at(-1)?.content)
    }
    const engines = [await open(run), await open(run), await open(run)]
    const said = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        (engines[index % 3] as Holdfast).submit({ key, messages: `m${index}`, dedupeKey: `k${index}` }),
      ),
    )
    for (const { turn } of said) await (engines[0] as Holdfast).settled(turn.id, AbortSignal.timeout(30_000))
    expect(most).toBe(1)
    const { entries } = await (engines[0] as Holdfast).store.readEntries({ key, order: 'oldest', limit: 100 })
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1))
  })

  it('share the turns of many sessions between them', async () => {
    const { open } = await cluster()
    const ran = { one: 0, other: 0 }
    const counting =
      (at: 'one' | 'other'): Runner =>
      async () => {
        ran[at] += 1
        await sleep(50)
        return 'done'
      }
    const one = await open(counting('one'))
    await open(counting('other'))
    const turns = await Promise.all(
      Array.from({ length: 60 }, (_, index) => one.submit({ key: parseSessionKey(`s${index}`), messages: 'x' })),
    )
    for (const { turn } of turns) await one.settled(turn.id, AbortSignal.timeout(30_000))
    expect(ran.one + ran.other).toBe(60)
  })

  it('cancel a turn that another runs', async () => {
    const { open } = await cluster()
    const { run, started } = held()
    const front = await open(null)
    await open(run)
    const { turn } = await front.submit({ key, messages: 'hello' })
    await started
    await front.cancel(turn.id, 'no more')
    expect((await front.settled(turn.id, AbortSignal.timeout(20_000))).turn.status).toBe('cancelled')
  })

  it('go on with the sessions of one that has lapsed, whose later writes are refused', async () => {
    const { open, lapse } = await cluster()
    const { run, release, started } = held()
    const first = await open(run)
    const { turn } = await first.submit({ key, messages: 'hello' })
    await started
    const second = await open(echo)
    const takenOver = new AbortController()
    const lapsing = lapse(first.holder.id, takenOver.signal)
    const { reply } = await second.settled(turn.id, AbortSignal.timeout(20_000)).finally(() => takenOver.abort())
    await lapsing
    release()
    expect(wordsOf(reply)).toEqual(['hello, 2'])
    await expect.poll(() => first.store.statistics().then(({ turnsRunning }) => turnsRunning), eventually).toBe(0)
    const { entries } = await second.store.readEntries({ key, order: 'oldest', limit: 10 })
    expect(wordsOf(entries)).toEqual(['hello', 'hello, 2'])
    expect((await second.store.readSession(key))?.fence).toBeGreaterThanOrEqual(3)
  })

  it('leave alone what a living one runs, whatever their plans say', async () => {
    const { open } = await cluster()
    const { run, release, started } = held()
    const first = await open(run)
    const { turn } = await first.submit({ key, messages: 'hello' })
    await started
    const second = await open(echo)
    await second.recovery.runNow()
    await sleep(3_000) // it looks for lapsed ones meanwhile
    release()
    const { turn: settled, reply } = await first.settled(turn.id, AbortSignal.timeout(20_000))
    expect([settled.attempts, wordsOf(reply)]).toEqual([1, ['so be it']])
  })

  it('pass tokens on, also when the way to where they come from breaks off', async () => {
    const { open } = await cluster()
    const { run, release } = held()
    const back = await open(run)
    await back.store.announce({ holderId: back.holder.id, address: 'http://127.0.0.1:1', token: 'shown' })
    let ways = 0
    const front = await open(null, {
      followElsewhere: async function* (_holder, turnId, signal) {
        ways += 1
        for await (const event of back.follow(turnId, signal)) {
          yield event
          if (ways === 1 && event.type === 'delta') throw new Error('the way breaks off')
          if (ways === 2) release()
        }
      },
    })
    const { turn } = await front.submit({ key, messages: 'hello' })
    const words: string[] = []
    for await (const event of front.follow(turn.id, AbortSignal.timeout(20_000))) {
      if (event.type === 'delta') words.push(String(event.delta.content))
      else words.push(event.type)
    }
    expect([words, ways]).toEqual([['started', 'so ', 'be it', 'settled'], 2])
  })

  it('start a due job once', async () => {
    const { open } = await cluster()
    const started: string[] = []
    const run: Runner = async (turn) => {
      started.push(turn.sessionKey)
      return 'ran'
    }
    const engines = [await open(run), await open(run), await open(run)]
    await (engines[0] as Holdfast).jobs.put({
      id: 'often',
      name: 'often',
      schedule: '* * * * * *',
      messages: 'go',
    } as never)
    await expect.poll(() => new Set(started).size, eventually).toBeGreaterThan(2)
    expect(started.length).toBe(new Set(started).size)
  })
})
