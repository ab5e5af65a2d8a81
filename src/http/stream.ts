import type { Clock } from '../host/clock.ts'

/** Proxies and clients drop connections that are silent for a minute; some after 30 s. */
const keepAliveMs = 15_000

/** As `firstMs` of `paced`: the header goes out as soon as the source has been asked for the first time. */
export const atOnceMs = 0

/** A Server-Sent Events comment; every reader skips it. */
export const waitingFrame = ': waiting\n\n'

export function eventFrame(data: unknown, fields: { event?: string; id?: string } = {}): string {
  const id = fields.id === undefined ? '' : `id: ${fields.id}\n`
  const event = fields.event === undefined ? '' : `event: ${fields.event}\n`
  return `${id}${event}data: ${JSON.stringify(data)}\n\n`
}

/**
 * What the source gives, with a null whenever nothing came in time: first after `firstMs`, from then on after
 * `keepAliveMs`. The source is asked at once, before anybody reads, so that nothing is missed in between. Ends when the
 * source ends, and ends the source when it is ended.
 */
export function paced<T>(source: AsyncIterable<T>, clock: Clock, firstMs: number): AsyncGenerator<T | null> {
  const iterator = source[Symbol.asyncIterator]()
  const first = iterator.next()
  first.catch(() => {}) // told to whoever reads
  return pacedFrom(iterator, first, clock, firstMs)
}

async function* pacedFrom<T>(
  iterator: AsyncIterator<T>,
  first: Promise<IteratorResult<T>>,
  clock: Clock,
  firstMs: number,
): AsyncGenerator<T | null> {
  let waitMs = firstMs
  let next = first
  try {
    for (;;) {
      const result = await within(next, clock, waitMs)
      if (result === null) {
        waitMs = keepAliveMs
        yield null
        continue
      }
      if (result.done) return
      yield result.value
      next = iterator.next()
    }
  } finally {
    next.catch(() => {}) // nobody waits for it any more; its error ended this generator, or its end was asked for
    await iterator.return?.()
  }
}

async function within<T>(promise: Promise<T>, clock: Clock, waitMs: number): Promise<T | null> {
  const timer = new AbortController()
  const silence = clock.sleep(waitMs, timer.signal).then(
    () => null,
    () => null, // aborted below: the promise was first
  )
  try {
    return await Promise.race([promise, silence])
  } finally {
    timer.abort()
  }
}

/**
 * A response whose body is made only as fast as the client reads it. `stop` is aborted when the client has gone, which must end
 * whatever `frames` waits for.
 */
export function streamResponse(
  frames: AsyncGenerator<string>,
  stop: AbortController,
  headers: Record<string, string> = {},
): Response {
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await frames.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      cancel(reason) {
        stop.abort(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, {
    headers: {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no', // nginx would hold the stream back
    },
  })
}

/** Aborted when the request is. */
export function stopWith(signal: AbortSignal): AbortController {
  const stop = new AbortController()
  if (signal.aborted) stop.abort(signal.reason)
  else signal.addEventListener('abort', () => stop.abort(signal.reason), { once: true })
  return stop
}
