import { errorOf } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { entryText } from '../print/entry.ts'
import type { Api } from '../reach/api.ts'
import type { Terminal } from '../terminal.ts'
import { type Answer, type AnswerView, ask, type Impatience } from './ask.ts'
import { explainWait } from './waiting.ts'

/**
 * Asks, and prints the answer as it is made; says what it waits for when nothing comes.
 * @throws HoldfastError as `ask`; the turn's outcome when it did not end as done
 */
export async function askAndPrint(
  api: Api,
  key: SessionKey,
  text: string,
  terminal: Terminal,
  impatience: Impatience,
): Promise<Answer> {
  const begun = new AbortController()
  let explained = Promise.resolve()
  let shown = ''
  const view: AnswerView = {
    accepted: (turnId) => {
      explained = explainWait(api, key, turnId, terminal, begun.signal)
    },
    piece: async (piece) => {
      begun.abort()
      shown += piece
      await terminal.printPart(terminal.words(piece))
    },
    again: async () => {
      if (shown !== '') await terminal.print('', terminal.paint('dim', '(the answer begins again)'))
      shown = ''
    },
  }
  try {
    const answer = await ask(api, key, text, view, impatience)
    if (answer.turn.outcome !== null) throw errorOf(answer.turn.outcome)
    const words = answer.reply.map((entry) => terminal.words(entryText(entry)))
    if (shown === '') await terminal.print(...words)
    return answer
  } finally {
    begun.abort()
    await explained
    if (shown !== '' && !shown.endsWith('\n')) await terminal.print('')
  }
}
