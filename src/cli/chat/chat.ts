import { text as readAll } from 'node:stream/consumers'
import { HoldfastError } from '../../model/errors.ts'
import { parseSessionKey, type SessionKey } from '../../model/keys.ts'
import { type CommandOptions, command, sessionKeyArgument } from '../options.ts'
import type { Api } from '../reach/api.ts'
import { reachGateway } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { askAndPrint } from './answer.ts'
import { type Answer, ask } from './ask.ts'
import { converse } from './converse.ts'

interface ChatOptions extends CommandOptions {
  session: SessionKey
  gateway?: string
  tokenEnv?: string
  message?: string
}

export function chat(terminal: Terminal) {
  return command('chat', 'Talk to the running gateway', [
    'holdfast chat',
    'holdfast chat --session alice',
    'holdfast chat --message "What did we decide yesterday?"',
    'git diff | holdfast chat --session review',
    'holdfast chat --gateway http://10.0.0.5:4747 --token-env HOLDFAST_TOKEN',
  ])
    .option('--session <key>', 'the session key, in full or short', sessionKeyArgument, parseSessionKey('main'))
    .option('--message <text>', 'ask this, print the answer, and end')
    .option('--gateway <url>', 'a gateway elsewhere, instead of the one on this machine')
    .option('--token-env <name>', 'the environment variable that holds its bearer token')
    .action(async (options: ChatOptions) => {
      const { stdin } = terminal.outside
      const interactive = options.message === undefined && stdin.isTTY === true
      if (interactive && options.json === true) {
        throw new HoldfastError('USAGE', { because: '--json needs --message, or a message on standard input' })
      }
      const message = interactive ? null : (options.message ?? (await readAll(stdin)).replace(/\n+$/, ''))
      if (message?.trim() === '') throw new HoldfastError('USAGE', { because: 'the message is empty' })
      await using api = await reachGateway(options, terminal)
      if (message === null) return await converse(api, options.session, terminal)
      await askOnce(api, options, message, terminal)
    })
}

/** The first signal cancels the turn and waits for its end; the second does not wait. */
async function askOnce(api: Api, options: ChatOptions, message: string, terminal: Terminal): Promise<void> {
  const cancel = new AbortController()
  const leave = new AbortController()
  const forget = terminal.outside.onSignal(['SIGINT', 'SIGTERM'], () => {
    if (cancel.signal.aborted) leave.abort(new HoldfastError('TURN_CANCELLED'))
    else cancel.abort()
  })
  const impatience = { cancel: cancel.signal, leave: leave.signal }
  try {
    if (options.json !== true) await askAndPrint(api, options.session, message, terminal, impatience)
    else await printAnswerJson(await ask(api, options.session, message, silentView, impatience), terminal)
  } finally {
    forget()
  }
}

async function printAnswerJson(answer: Answer, terminal: Terminal): Promise<void> {
  await terminal.printJson(answer)
  if (answer.turn.outcome !== null) terminal.exitCode = 1
}

const silentView = { accepted: () => {}, piece: async () => {}, again: async () => {} }
