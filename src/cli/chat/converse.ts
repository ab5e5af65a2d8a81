import { createInterface } from 'node:readline'
import { isHoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { printFailure } from '../failure.ts'
import { type Api, sessionPath } from '../reach/api.ts'
import type { Terminal } from '../terminal.ts'
import { askAndPrint } from './answer.ts'

const hints = 'Ctrl-C stops an answer, and leaves when there is none. /reset starts anew, /exit leaves.'

/** A conversation at the terminal, until its person leaves. What failed is told, and the conversation goes on. */
export async function converse(api: Api, key: SessionKey, terminal: Terminal): Promise<void> {
  const { stdin, stdout } = terminal.outside
  const lines = createInterface({ input: stdin, output: stdout, terminal: true, prompt: terminal.paint('cyan', '> ') })
  let answering: Waiting | null = null
  const interrupt = () => {
    if (answering === null) lines.close()
    else if (!answering.cancel.signal.aborted) answering.cancel.abort()
    else {
      answering.leave.abort()
      lines.close()
    }
  }
  lines.on('SIGINT', interrupt)
  const forget = terminal.outside.onSignal(['SIGINT'], interrupt)
  terminal.note(`Session ${key}. ${hints}`)
  lines.prompt()
  try {
    for await (const line of lines) {
      const text = line.trim()
      if (text === '/exit') return
      answering = { cancel: new AbortController(), leave: new AbortController() }
      await answerLine(api, key, text, terminal, answering)
      if (answering.leave.signal.aborted) return
      answering = null
      lines.prompt()
    }
    await terminal.print('')
  } finally {
    forget()
    lines.close()
  }
}

interface Waiting {
  cancel: AbortController
  leave: AbortController
}

async function answerLine(
  api: Api,
  key: SessionKey,
  text: string,
  terminal: Terminal,
  waiting: Waiting,
): Promise<void> {
  const impatience = { cancel: waiting.cancel.signal, leave: waiting.leave.signal }
  try {
    if (text === '/reset') {
      await api.call('POST', sessionPath(key, '/reset'), { reason: 'asked for in the chat' })
      terminal.note('The conversation starts anew. The earlier transcript is kept.')
    } else if (text.startsWith('/')) {
      terminal.note(hints)
    } else if (text !== '') {
      await askAndPrint(api, key, text, terminal, impatience)
    }
  } catch (error) {
    if (waiting.leave.signal.aborted) return
    if (!isHoldfastError(error)) throw error
    if (error.code === 'TURN_CANCELLED') terminal.note('Stopped.')
    else printFailure(error, terminal.outside)
  }
}
