import { countMessages, countText } from '../compaction/meter.ts'
import type { Runner } from '../engine/runner.ts'
import { textOf } from '../model/messages.ts'
import { cutText } from '../model/text.ts'

/** Of the last message, in UTF-16 units. */
const echoLengthMax = 2_000

/**
 * Answers without a model, a key or a network, the same each time: says that it is the demo model, how much of the
 * conversation it was shown, and what it heard.
 */
export const demoRunner: Runner = async (turn) => {
  const heard = turn.messages.map(textOf).join('\n').trim()
  const echo = heard.length > echoLengthMax ? `${cutText(heard, echoLengthMax)}…` : heard
  const earlier = turn.context.filter((message) => message.role === 'user').length - turn.messages.length
  const pieces = [
    'This is the built-in demo model: ',
    `it was shown ${Math.max(0, earlier)} earlier ${earlier === 1 ? 'message' : 'messages'} of yours. `,
    'You said: ',
    echo === '' ? '(no text)' : echo,
  ]
  for (const piece of pieces) {
    turn.signal.throwIfAborted()
    turn.emit(piece)
  }
  const content = pieces.join('')
  const promptTokens = countMessages(turn.context)
  const completionTokens = countText(content)
  return {
    messages: [{ role: 'assistant', content }],
    finishReason: 'stop',
    usage: { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens },
  }
}
