import { setTimeout as sleep } from 'node:timers/promises'
import type { Turn } from '../../../src/model/turns.ts'
import type { Api, ChatOptions } from './api.ts'
import { isConnectionError } from './gateway.ts'
import { markOf, type Sent } from './history.ts'
import { type Random, randomFrom } from './random.ts'
import { until } from './wait.ts'

export interface LoadOptions {
  sessions: number
  /** Clients that write into one session side by side. */
  writers: number
  seed: number
  /** Changes when the gateway is started again; null while it is down. */
  api: () => Api | null
  /** After so long without an answer a client asks again, perhaps elsewhere; none: it waits. Unit: ms. */
  patienceMs?: number
  /** The longest pause between two messages of a client. Unit: ms. */
  thinkMs?: number
  /** How often a client asks for a turn that it waits for. Unit: ms. */
  pollMs?: number
}

/** Disposal ends the clients at once; after `pause()` nothing of theirs is then open. */
export interface Load extends Disposable {
  readonly sent: readonly Sent[]
  /** Answers that a correct gateway does not give, such as a refused message. */
  readonly surprises: readonly string[]
  readonly sessions: readonly string[]
  /** Every client has what it waited for, and sends nothing new. */
  pause(): Promise<void>
  resume(): void
}

/** How one message is sent. All of them repeat it with the same idempotency key until it is acknowledged. */
const ways = ['chat', 'stream', 'turn', 'turn and leave'] as const
type Way = (typeof ways)[number]

/** Clients that send message after message, and go on through every failure of the gateway. */
export function startLoad({ sessions, writers, seed, api, patienceMs, thinkMs = 10, pollMs }: LoadOptions): Load {
  const sent: Sent[] = []
  const surprises: string[] = []
  const names = Array.from({ length: sessions }, (_, index) => `s${index + 1}`)
  let state: 'running' | 'paused' | 'stopped' = 'running'
  let idle = 0
  let places = 0
  const numbers = new Map<string, number>()
  const underWay = new Map<Sent, string>()

  const client = async (session: string, random: Random): Promise<void> => {
    for (;;) {
      idle += 1
      while (state === 'paused') await sleep(10)
      if (state === 'stopped') return
      idle -= 1
      const number = (numbers.get(session) ?? 0) + 1
      numbers.set(session, number)
      places += 1
      const message: Sent = { session, mark: markOf(session, number), sentAt: places, acknowledgedAt: null, told: null }
      sent.push(message)
      await deliver(message, random.pick(ways))
      await sleep(random.between(0, thinkMs))
    }
  }

  /** Until it is acknowledged, and for most ways until it is answered. */
  async function deliver(message: Sent, way: Way): Promise<void> {
    while (state !== 'stopped') {
      const target = api()
      underWay.set(message, `${message.mark} (${way} at ${target?.url})`)
      if (target !== null && (await attempt(target, message, way))) return void underWay.delete(message)
      await sleep(25)
    }
  }

  async function attempt(target: Api, message: Sent, way: Way): Promise<boolean> {
    try {
      return await send[way](target, message)
    } catch (error) {
      if (isConnectionError(error)) return false
      throw error
    }
  }

  const impatient = () => (patienceMs === undefined ? {} : { signal: AbortSignal.timeout(patienceMs) })
  const keyed = ({ mark }: Sent): ChatOptions => ({ idempotencyKey: mark, ...impatient() })

  const send: Record<Way, (target: Api, message: Sent) => Promise<boolean>> = {
    async chat(target, message) {
      const { status, headers, body } = await target.chat(message.session, message.mark, keyed(message))
      if (status === 200) return answered(message, body.choices[0]?.message.content ?? '')
      return refused(target, message, status, headers, body.error?.code)
    },
    async stream(target, message) {
      const options = { ...keyed(message), onOpen: () => acknowledged(message) }
      const { status, headers, text, error } = await target.chatStream(message.session, message.mark, options)
      if (text !== null) return answered(message, text)
      return error === null ? false : refused(target, message, status, headers, error.code)
    },
    async turn(target, message) {
      const { status, headers, body } = await target.turn(
        message.session,
        message.mark,
        { dedupeKey: message.mark },
        impatient(),
      )
      if (status !== 202) return refused(target, message, status, headers, body.error?.code)
      acknowledged(message)
      let seen: unknown = body.turn
      await until(
        () => `${message.mark} has ended: ${JSON.stringify(seen)}`,
        async () => {
          const now = api()
          return (
            now !== null &&
            (await hasEnded(now, body.turn.id, impatient(), (turn) => {
              seen = turn
            }))
          )
        },
        300_000,
        pollMs,
      )
      return true
    },
    async 'turn and leave'(target, message) {
      const { status, headers, body } = await target.turn(
        message.session,
        message.mark,
        { dedupeKey: message.mark },
        impatient(),
      )
      return status === 202 ? acknowledged(message) : refused(target, message, status, headers, body.error?.code)
    },
  }

  function acknowledged(message: Sent): true {
    places += 1
    message.acknowledgedAt ??= places
    return true
  }

  function answered(message: Sent, text: string): true {
    message.told = text
    return acknowledged(message)
  }

  /** A turn that failed has been acknowledged, and its failure told; a gateway that is ending or starting is asked again. */
  async function refused(
    target: Api,
    message: Sent,
    status: number,
    headers: Headers,
    code: string | undefined,
  ): Promise<boolean> {
    if (code === 'TURN_QUARANTINED') return acknowledged(message)
    const turnId = headers.get('x-turn-id')
    if (turnId !== null && (await hasEnded(target, turnId, impatient()))) return acknowledged(message)
    const passing = ['GATEWAY_CLOSING', 'STORE_CLOSED', 'STORE_FULL', 'STORE_IO', 'STORE_READ_ONLY', 'TURN_INTERRUPTED']
    if (code === undefined || !passing.includes(code)) {
      surprises.push(`${message.mark}: ${status} ${code} ${headers.get('x-turn-id')}`)
      return true
    }
    return false
  }

  const clients = names.flatMap((session, index) =>
    Array.from({ length: writers }, (_, writer) => client(session, randomFrom(seed + index * 100 + writer))),
  )
  const all = Promise.all(clients)
  all.catch(() => {}) // its error is thrown by pause()
  return {
    sent,
    surprises,
    sessions: names,
    async pause() {
      state = 'paused'
      const isIdle = async () => {
        if (idle === clients.length) return true
        await sleep(20)
        return false
      }
      const waiting = () => [...underWay.values()].slice(0, 10).join(', ')
      await Promise.race([all, until(() => `every client is idle, not: ${waiting()}`, isIdle, 180_000)])
    },
    resume() {
      state = 'running'
    },
    [Symbol.dispose]() {
      state = 'stopped'
    },
  }
}

async function hasEnded(
  api: Api,
  turnId: string,
  options: ChatOptions,
  onSeen: (turn: unknown) => void = () => {},
): Promise<boolean> {
  try {
    const { status, body } = await api.send<{ turn: Turn }>('GET', `/v1/turns/${turnId}`, undefined, options)
    onSeen(body)
    return status === 200 && body.turn.settledAtMs !== null
  } catch (error) {
    if (isConnectionError(error)) return false
    throw error
  }
}
