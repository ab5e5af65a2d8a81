import { describe, expect, it } from 'vitest'
import { parseIndex, parseObject } from '../parse.ts'
import { waitingKeys } from './children.ts'
import { readEntry } from './entry.ts'
import { placeOfTranscript } from './transcript.ts'

const nowMs = Date.parse('2026-11-26T12:00:00Z')
const agent = { id: 'main', sessionsDir: '/srv/oc/agents/main/sessions' }
const id = '86e00af5-0000-4000-8000-000000000000'

function factsOf(
  value: unknown,
  { key = 'agent:main:telegram:direct:42', waiting = new Set<string>() as ReadonlySet<string> | null } = {},
) {
  const bytes = Buffer.from(JSON.stringify({ [key]: value }, null, 2))
  const [member] = parseIndex(bytes).members
  if (member === undefined) throw new Error('there is no entry')
  const fields = bytes[member.valueStart] === 0x7b ? parseObject(bytes, member.valueStart, member.valueEnd) : null
  return readEntry(bytes, member, fields, agent, waiting, nowMs).facts
}

describe('an entry', () => {
  it('says what decisions need', () => {
    const sessionFile = `${agent.sessionsDir}/${id}.jsonl`
    const value = { sessionId: id, updatedAt: nowMs - 5_000, sessionFile, status: 'running', abortedLastRun: true }
    expect(factsOf(value)).toEqual({
      key: 'agent:main:telegram:direct:42',
      kind: 'direct',
      sessionId: id,
      transcript: `${id}.jsonl`,
      elsewhere: null,
      unsafe: null,
      usedAtMs: nowMs - 5_000,
      status: 'running',
      abortedLastRun: true,
      pinned: false,
      pending: false,
      bytes: JSON.stringify({ a: value }, null, 2).length - '{\n  "a": \n}'.length,
    })
  })
  it('was used at the newest of its times that is not in the future', () => {
    const usedAt = (times: object) => factsOf({ sessionId: id, ...times }).usedAtMs
    expect(usedAt({ updatedAt: nowMs - 9, lastInteractionAt: nowMs - 5, startedAt: nowMs - 7, endedAt: null })).toBe(
      nowMs - 5,
    )
    expect(usedAt({ updatedAt: nowMs - 9, endedAt: nowMs + 60_000 })).toBe(nowMs)
    expect(usedAt({ updatedAt: nowMs - 9, endedAt: nowMs + 60_001 })).toBe(nowMs - 9)
    expect(usedAt({ updatedAt: nowMs + 3_600_000 })).toBe(0)
    expect(usedAt({ updatedAt: 'yesterday', startedAt: -1, endedAt: [1] })).toBe(0)
  })
  it.each([
    [{ sessionId: '../../etc/passwd' }, 'its session id holds characters that no file name may have'],
    [{ sessionId: 'a\0b' }, 'its session id holds characters that no file name may have'],
    [{ sessionId: '' }, 'its session id holds characters that no file name may have'],
    [{ sessionId: 'a'.repeat(256) }, 'its session id has more than 255 characters'],
    [{ sessionId: null }, 'its session id is no text'],
    [{ sessionId: 7 }, 'its session id is no text'],
    ['text', 'it is no object'],
    [null, 'it is no object'],
    [[], 'it is no object'],
  ])('is dropped by a gateway that reads %j', (value, unsafe) => {
    expect(factsOf(value)).toMatchObject({ unsafe, sessionId: null })
  })
  it('loses an id that makes no file name, unless it names a file', () => {
    expect(factsOf({ sessionId: 'a:b@c' })).toMatchObject({ sessionId: null, unsafe: null, transcript: null })
    expect(factsOf({ sessionId: 'a:b@c', sessionFile: 'x.jsonl' })).toMatchObject({
      sessionId: 'a:b@c',
      transcript: 'x.jsonl',
    })
  })
  it('is of many people also where only its chat type says so', () => {
    const kind = (value: object, key?: string) =>
      factsOf({ sessionId: id, ...value }, key === undefined ? {} : { key }).kind
    expect(kind({ chatType: 'channel' })).toBe('group')
    expect(kind({ origin: { chatType: 'group' } })).toBe('group')
    expect(kind({ chatType: 'thread' }, 'agent:main:odd')).toBe('thread')
    expect(kind({ chatType: 'group' }, 'agent:main:cron:job:run:1')).toBe('cron-run')
  })
  it('is pinned, or waits', () => {
    expect(factsOf({ pinnedAt: nowMs }).pinned).toBe(true)
    expect(factsOf({ pinnedAt: null }).pinned).toBe(false)
    expect(factsOf({ pendingFinalDelivery: true }).pending).toBe(true)
    expect(factsOf({}, { waiting: new Set(['agent:main:telegram:direct:42']) }).pending).toBe(true)
  })
  it('may be waited for as long as nobody can tell, if it is a child', () => {
    expect(factsOf({}, { key: 'agent:main:subagent:1', waiting: null }).pending).toBe(true)
    expect(factsOf({}, { waiting: null }).pending).toBe(false)
  })
  it('is not made an object of where a value is longer than any that is looked for', () => {
    expect(factsOf({ sessionId: id, status: 'x'.repeat(100_000), sessionFile: 'y'.repeat(100_000) })).toMatchObject({
      status: null,
      transcript: `${id}.jsonl`,
    })
  })
})

describe('the transcript of an entry', () => {
  const place = (file: string | null, { key = 'agent:main:main', sessionId = id as string | null } = {}) =>
    placeOfTranscript(agent, key, sessionId, file)
  const here = (name: string) => ({ names: [name], elsewhere: null })

  it.each([
    ['/srv/oc/agents/main/sessions/a.jsonl', 'a.jsonl'],
    ['/srv/oc/agents/main/sessions/./b/../a.jsonl', 'a.jsonl'],
    ['  a.jsonl ', 'a.jsonl'],
    ['./a.jsonl', 'a.jsonl'],
    ['b/../a.jsonl', 'a.jsonl'],
  ])('%s is here', (file, name) => expect(place(file)).toEqual(here(name)))
  it.each(['', '  ', '../a.jsonl', '..a.jsonl', '/etc/passwd', '/tmp/sessions/a.jsonl', 'a\0b', agent.sessionsDir])(
    '%j is not taken, and the id counts',
    (file) => expect(place(file)).toEqual(here(`${id}.jsonl`)),
  )
  it.each([
    ['/home/node/.openclaw/agents/main/sessions/a.jsonl', '/home/node/.openclaw/agents/main/sessions'],
    ['C:\\Users\\Zoë\\.openclaw\\agents\\main\\sessions\\a.jsonl', 'C:\\Users\\Zoë\\.openclaw\\agents\\main\\sessions'],
  ])('%s is the file here, seen by another way', (file, elsewhere) => {
    expect(place(file)).toEqual({ names: ['a.jsonl'], elsewhere })
  })
  it.each([
    ['/srv/oc/agents/shop/sessions/a.jsonl', '/srv/oc/agents/shop/sessions'],
    ['/home/node/.openclaw/agents/main/sessions/deep/a.jsonl', '/home/node/.openclaw/agents/main/sessions/deep'],
    ['/srv/oc/agents/main/sessions/deep/a.jsonl', `${agent.sessionsDir}/deep`],
    ['deep/a.jsonl', `${agent.sessionsDir}/deep`],
    ['a/../../b.jsonl', `${agent.sessionsDir}/a/../..`],
  ])('%s lies elsewhere', (file, elsewhere) => expect(place(file)).toEqual({ names: [], elsewhere }))
  it('has the topic in its name, where only the key says so and the file is there', () => {
    expect(place(null, { key: 'agent:main:slack:channel:c1:thread:1712345678.000100' }).names).toEqual([
      `${id}-topic-1712345678.000100.jsonl`,
      `${id}.jsonl`,
    ])
    expect(place(null, { key: 'agent:main:telegram:group:-100:topic:7' }).names[0]).toBe(`${id}-topic-7.jsonl`)
  })
  it('is none without an id that makes a file name', () => {
    expect(place(null, { sessionId: null })).toEqual({ names: [], elsewhere: null })
    expect(place(null, { sessionId: `a.checkpoint.${id}` }).names).toEqual([])
  })
})

describe('children', () => {
  const run = (more: object) =>
    JSON.stringify({
      version: 2,
      runs: { r1: { childSessionKey: 'child', requesterSessionKey: 'parent', createdAt: nowMs - 1_000, ...more } },
    })

  it('are waited for until their cleanup is complete, or a week has passed', () => {
    expect(waitingKeys(run({}), nowMs)).toEqual(new Set(['child', 'parent']))
    expect(waitingKeys(run({ endedAt: nowMs - 500 }), nowMs)).toEqual(new Set(['child', 'parent']))
    expect(waitingKeys(run({ cleanupCompletedAt: nowMs }), nowMs)).toEqual(new Set())
    expect(waitingKeys(run({ createdAt: nowMs - 8 * 24 * 3_600_000 }), nowMs)).toEqual(new Set())
  })
  it.each(['', '[]', '{}', '{"runs":[]}', '{"runs":{"a":'])('are not told by %j', (text) => {
    expect(waitingKeys(text, nowMs)).toBeNull()
  })
})
