import { expect, it } from 'vitest'
import type { Entry } from '../../model/entries.ts'
import type { Message } from '../../model/messages.ts'
import { shownUpto } from './prefix.ts'

function entry(seq: number, turnId: string | null, attempt: number, body: Entry['body']): Entry {
  const kind = 'role' in body ? (body.role as 'user') : 'event'
  return { seq, id: `e${seq}`, parentId: null, turnId, attempt, kind, body, tokens: 1, atMs: 0 }
}
const user = (content: string): Message => ({ role: 'user', content })
const event = (code: string) => ({ code, text: 'It ended.' })

it('shows the summariser what the model was shown: no events, no repeated attempts, nothing it refused', () => {
  const entries = [
    entry(1, null, 1, event('RESET')),
    entry(2, 'a', 1, user('first attempt')),
    entry(3, 'a', 2, user('second attempt')),
    entry(4, 'b', 1, user('refused')),
    entry(5, 'b', 1, event('MODEL_REJECTED')),
    entry(6, 'c', 1, user('timed out')),
    entry(7, 'c', 1, event('MODEL_TIMEOUT')),
    entry(8, 'd', 1, user('after the cut')),
  ]
  expect(shownUpto(entries, 7).map(({ message }) => message.content)).toEqual(['second attempt', 'timed out'])
})
