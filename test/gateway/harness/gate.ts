import type { Asked, Behaviour } from './model.ts'

/** A model whose answers wait until the test lets them go. */
export interface Gate {
  readonly behaviour: Behaviour
  /** Requests that wait now. */
  readonly waiting: readonly Asked[]
  /** Lets all that wait go, and all to come. */
  open(): void
}

/** Holds the requests of which `holds` says so; `then` answers. */
export function gateBefore(then: Behaviour, holds: (asked: Asked) => boolean = () => true): Gate {
  const opened = Promise.withResolvers<void>()
  const waiting: Asked[] = []
  return {
    waiting,
    async behaviour(asked) {
      if (holds(asked)) {
        waiting.push(asked)
        await opened.promise
        waiting.splice(waiting.indexOf(asked), 1)
      }
      return then(asked)
    },
    open: () => opened.resolve(),
  }
}
