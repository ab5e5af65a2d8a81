import { createInterface } from 'node:readline'
import { HoldfastError } from '../model/errors.ts'
import type { Terminal } from './terminal.ts'

/**
 * Asks a person on a terminal; where nobody is there to ask, the command line itself was the answer.
 * @throws HoldfastError USAGE when the answer is not yes
 */
export async function confirm(question: string, terminal: Terminal): Promise<void> {
  const { stdin, stderr } = terminal.outside
  if (stdin.isTTY !== true) return
  const lines = createInterface({ input: stdin, output: stderr })
  const { promise, resolve } = Promise.withResolvers<string>()
  lines.once('close', () => resolve(''))
  lines.question(`${question} [y/N] `, resolve)
  const answer = await promise
  lines.close()
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new HoldfastError('USAGE', { because: 'not confirmed, so nothing was done' })
}
