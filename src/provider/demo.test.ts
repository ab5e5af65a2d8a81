import { expect, it } from 'vitest'
import type { RunningTurn, RunResult } from '../engine/runner.ts'
import { parseSessionKey } from '../model/keys.ts'
import { textOf, type UserMessage } from '../model/messages.ts'
import { demoRunner } from './demo.ts'

const user = (content: string): UserMessage => ({ role: 'user', content })

async function ask(content: string): Promise<{ result: RunResult; emitted: string[] }> {
  const emitted: string[] = []
  const turn: RunningTurn = {
    id: 'turn-1',
    sessionKey: parseSessionKey('alice'),
    attempt: 1,
    messages: [user(content)],
    instructions: [],
    params: {},
    streaming: true,
    context: [user('before'), { role: 'assistant', content: 'yes' }, user(content)],
    signal: new AbortController().signal,
    append: () => Promise.reject(new Error('not used')),
    emit: (delta) => {
      emitted.push(String(delta))
    },
    restart: () => {},
    progress: () => {},
  }
  return { result: (await demoRunner(turn)) as RunResult, emitted }
}

it('says that it is the demo model, and what it was shown', async () => {
  const { result, emitted } = await ask('Hello?')
  const [message] = result.messages
  expect(message).toEqual({
    role: 'assistant',
    content: 'This is the built-in demo model: it was shown 1 earlier message of yours. You said: Hello?',
  })
  expect(emitted.join('')).toBe(message?.content)
  expect(emitted.length).toBeGreaterThan(1)
  expect(result.usage?.totalTokens).toBeGreaterThan(20)
})

it('answers the same each time, and a long message with its beginning', async () => {
  expect(await ask('again')).toEqual(await ask('again'))
  const { result } = await ask('long '.repeat(10_000))
  expect(textOf(result.messages[0] as UserMessage).length).toBeLessThan(3_000)
})
