import type { Outside } from '../outside.ts'

/** Wishes to end, from the moment this is called. */
export interface Stop extends Disposable {
  /** Resolves at the first signal. */
  asked: Promise<void>
  /** Resolves at the second. */
  forced: Promise<void>
}

export function listenForStop(outside: Outside): Stop {
  const asked = Promise.withResolvers<void>()
  const forced = Promise.withResolvers<void>()
  let signals = 0
  const forget = outside.onSignal(['SIGINT', 'SIGTERM'], () => {
    signals += 1
    if (signals === 1) asked.resolve()
    else forced.resolve()
  })
  return { asked: asked.promise, forced: forced.promise, [Symbol.dispose]: forget }
}
