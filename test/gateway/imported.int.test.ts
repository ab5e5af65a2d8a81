import { expect, it } from 'vitest'
import { type Message, textOf } from '../../src/model/messages.ts'
import { holdfast } from '../cli/program.ts'
import { fixtureVersions, Ground, unpackFixture } from '../openclaw/unpack.ts'
import { makePlace, startGateway } from './harness/gateway.ts'
import { startModel, turnModel } from './harness/model.ts'

const chat = 'agent:main:telegram:direct:40382952'
const summarised = 'agent:work:main'

it.each(fixtureVersions)('a conversation of %s goes on here with its history', async (version) => {
  using ground = new Ground()
  await using place = await makePlace()
  await using model = await startModel()
  const { dir } = unpackFixture(version, ground.root)
  const importing = ['import', '--home', dir, '--data', place.data]
  expect(await holdfast(importing, { cwd: ground.root })).toMatchObject({ code: 0, stderr: '' })

  await using gateway = await startGateway({ place, model })
  const say = async (session: string, content: string): Promise<Message[]> => {
    const input = { model: 'holdfast', messages: [{ role: 'user', content }] }
    const { status } = await gateway.api.post('/v1/chat/completions', input, { headers: { 'x-session-key': session } })
    expect(status).toBe(200)
    return model.askedFor(turnModel).at(-1)?.messages ?? []
  }
  const asked = await say(chat, 'do you remember?')
  const words = asked.map(textOf)
  expect(asked.length).toBeGreaterThan(46)
  expect(words[0]).toContain('Nr. 9') // the conversation before that was reset
  expect(words.at(-1)).toBe('do you remember?')
  const calls = asked.flatMap((message) => (message.role === 'assistant' ? (message.tool_calls ?? []) : []))
  const results = asked.flatMap((message) => (message.role === 'tool' ? [message.tool_call_id] : []))
  expect(calls.map(({ id }) => id)).toEqual(results)
  for (const [at, each] of asked.entries()) {
    expect(
      Object.keys(each).filter((name) => !['role', 'content', 'tool_calls', 'tool_call_id'].includes(name)),
    ).toEqual([])
    const before = asked[at - 1]
    expect(before?.role === 'assistant' && each.role === 'assistant' && textOf(before) === textOf(each)).toBe(false)
  }
  const after = (await say(summarised, 'and you?')).map(textOf)
  expect(after[0]).toContain('[Summary of the earlier conversation')
  expect(after.join('\n')).toContain('after sessions.compact RPC')
  expect(after.join('\n')).not.toContain('work main: status')

  // while it runs nobody else may write to its store
  const again = await holdfast(importing, { cwd: ground.root })
  expect(again).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Another Holdfast process has this data directory open'),
  })
  const exporting = ['export', chat, '--to', `${ground.root}/out`, '--data', place.data]
  expect(await holdfast(exporting, { cwd: ground.root })).toMatchObject({ code: 0 })
})
