import type { Reloaded } from '../../http/deps.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { count } from '../print/words.ts'
import type { Terminal } from '../terminal.ts'

/** SIGHUP, from the moment this is called: one that comes before anybody answers is kept. */
export interface Hangups extends Disposable {
  answerWith(reload: () => Promise<Reloaded>): void
}

export function listenForHangup(terminal: Terminal): Hangups {
  const { promise, resolve } = Promise.withResolvers<() => Promise<Reloaded>>()
  const forget = terminal.outside.onSignal(['SIGHUP'], () => void promise.then((reload) => answer(reload, terminal)))
  return { answerWith: resolve, [Symbol.dispose]: forget }
}

/** A file that is not valid ends nothing: the gateway goes on with what held before. */
async function answer(reload: () => Promise<Reloaded>, terminal: Terminal): Promise<void> {
  try {
    for (const line of reloadedLines(await reload())) terminal.note(line)
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    terminal.note(`holdfast: ${error.message}\nNothing has changed.`)
  }
}

export function reloadedLines({ applied, needsRestart }: Reloaded): string[] {
  const changed = applied.length === 0 ? 'nothing has changed' : `${count(applied.length, 'key')} changed`
  return [
    `The configuration was read again: ${changed}.`,
    ...applied.map((key) => `  ${key}`),
    ...(needsRestart.length === 0
      ? []
      : ['These hold from the next start on:', ...needsRestart.map((key) => `  ${key}`)]),
  ]
}
