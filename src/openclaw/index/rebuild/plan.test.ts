import { describe, expect, it } from 'vitest'
import { namedByRun, namedByTrajectory, OwnStatus } from './evidence.ts'
import { type Binding, type Copy, planRebuild, type TranscriptThere } from './plan.ts'
import { salvage } from './salvage.ts'

const nowMs = Date.parse('2026-11-26T12:00:00Z')
const agent = { id: 'main', sessionsDir: '/srv/oc/agents/main/sessions' }

type Entries = Record<string, { sessionId: string; updatedAt?: number; [field: string]: unknown }>

async function copy(name: string, content: Entries | Buffer | string): Promise<Copy> {
  const isText = typeof content === 'string' || Buffer.isBuffer(content)
  const bytes = Buffer.from(isText ? content : JSON.stringify(content, null, 2))
  return { name, isIndex: name === 'sessions.json', ...(await salvage(bytes, agent, nowMs)) }
}
const there = (...ids: string[]): TranscriptThere[] =>
  ids.map((sessionId, at) => ({ name: `${sessionId}.jsonl`, sessionId, mtimeMs: nowMs - at * 1_000 }))
const plan = async (copies: Promise<Copy>[], transcripts: TranscriptThere[], bindings: Binding[] = []) =>
  planRebuild({ copies: await Promise.all(copies), transcripts, bindings })
const contentOf = (text: string | null) => (text === null ? null : (JSON.parse(text) as Entries))
const trajectory = (key: string, sessionId: string): Binding => ({
  key,
  sessionId,
  transcript: `${sessionId}.jsonl`,
  origin: { from: 'trajectory', name: `${sessionId}.trajectory.jsonl` },
})

describe('entries of a damaged index', () => {
  const entries: Entries = Object.fromEntries(
    ['a', 'b', 'c', 'd'].map((id) => [`agent:main:${id}`, { sessionId: id, deep: { text: `\n  "${id}": {}` } }]),
  )
  const whole = JSON.stringify(entries, null, 2)
  const keysIn = async (content: string | Buffer) =>
    (await copy('sessions.json', content)).entries.map(({ read }) => read.facts.key.slice(-1)).join('')

  it('are all there in a whole one, however it is laid out', async () => {
    expect(await keysIn(whole)).toBe('abcd')
    expect(await keysIn(JSON.stringify(entries))).toBe('abcd')
    expect((await copy('x', whole)).because).toBeNull()
  })
  it.each(Array.from({ length: 20 }, (_, at) => at / 20))(
    'are those that are whole when %d of it are left',
    async (share) => {
      const torn = whole.slice(0, Math.floor(whole.length * share))
      const expected = ['a', 'b', 'c', 'd'].filter((id) => {
        const end = whole.indexOf('\n  }', whole.indexOf(`"agent:main:${id}"`)) + '\n  }'.length
        return end <= torn.length
      })
      expect(await keysIn(torn)).toBe(expected.join(''))
    },
  )
  it('are those before and behind a hole', async () => {
    const bytes = Buffer.from(whole)
    const at = bytes.indexOf('"agent:main:b"')
    bytes.fill(0, at + 5, at + 40)
    expect(await keysIn(bytes)).toBe('acd')
    bytes.fill(0xff, 0, 20)
    expect(await keysIn(bytes)).toBe('cd')
  })
  it('are told once for each that two writers have left', async () => {
    expect(await keysIn(`${whole.slice(0, -30)}${whole}`)).toBe('abcabcd')
  })
  it('are to the byte what they were', async () => {
    const odd =
      '{\n  "agent:main:a": {\n    "sessionId": "a",\n    "n": 1.0e+2,\n    "u": "\\u00e9"\n  },\n  "agent:main:b": {'
    expect((await copy('sessions.json', odd)).entries[0]?.raw).toBe(
      '{\n    "sessionId": "a",\n    "n": 1.0e+2,\n    "u": "\\u00e9"\n  }',
    )
  })
  it.each(['', '\0\0\0', '[]', 'null', '{', '{"a"', '\n  "', '\n  "a": 1', '\n  "a": {"sessionId": "x"}, "b": {}'])(
    'are none in %j',
    async (text) => expect(await keysIn(text)).toBe(''),
  )
})

describe('a new index', () => {
  const entry = (sessionId: string, ageMs: number, more = {}) => ({ sessionId, updatedAt: nowMs - ageMs, ...more })

  it('is made from the copy that holds the most, never from the emptiest or the newest', async () => {
    const full = copy('sessions.json.bak.1', { a: entry('a', 9), b: entry('b', 9) })
    const result = await plan(
      [
        copy('sessions.json', ''),
        copy('sessions.json.bak.3', {}),
        full,
        copy('sessions.json.bak.2', { a: entry('a', 9) }),
      ],
      there('a', 'b'),
    )
    expect(Object.keys(contentOf(result.text) ?? {})).toEqual(['a', 'b'])
    expect(result.copies.map(({ name, usable }) => [name, usable])).toEqual([
      ['sessions.json.bak.1', 2],
      ['sessions.json.bak.2', 1],
      ['sessions.json', 0],
      ['sessions.json.bak.3', 0],
    ])
    expect(result.entries[0]).toEqual({
      key: 'a',
      transcript: 'a.jsonl',
      origin: { from: 'copy', name: 'sessions.json.bak.1' },
    })
  })
  it('has for each key the entry that was used last, of those whose transcript is there', async () => {
    const result = await plan(
      [
        copy('sessions.json.bak.1', { a: entry('a1', 50), b: entry('b1', 10), c: entry('c1', 90) }),
        copy('sessions.json.bak.2', { a: entry('a2', 20), b: entry('b2', 5), c: entry('c2', 30) }),
      ],
      there('a1', 'a2', 'b1', 'c1'),
    )
    const ids = Object.entries(contentOf(result.text) ?? {}).map(([key, { sessionId }]) => [key, sessionId])
    expect(Object.fromEntries(ids)).toEqual({ a: 'a2', b: 'b1', c: 'c1' })
    expect(result.unbound).toEqual([{ transcript: 'a1.jsonl', because: 'an earlier one of a' }])
    expect(result.left.map(({ key, because }) => [key, because])).toEqual([
      ['b', 'its transcript is not there any more'],
      ['c', 'its transcript is not there any more'],
    ])
  })
  it('keeps what the index itself says, also of a session that has no transcript yet', async () => {
    const torn = `${JSON.stringify({ a: entry('a', 9), new: entry('new', 1) }, null, 2).slice(0, -2)},\n  "b": {"ses`
    const result = await plan(
      [copy('sessions.json', torn), copy('sessions.json.bak', { a: entry('a', 9, { old: 1 }) })],
      there('a'),
    )
    expect(contentOf(result.text)).toEqual({ a: entry('a', 9), new: entry('new', 1) })
    expect(result.entries.map(({ origin }) => origin.from)).toEqual(['index', 'index'])
  })
  it('does not take an id that leads out of the directory', async () => {
    const result = await plan([copy('sessions.json', { a: entry('../x', 1), b: entry('b', 1) })], there('b'))
    expect(Object.keys(contentOf(result.text) ?? {})).toEqual(['b'])
    expect(result.left).toEqual([
      { key: 'a', name: 'sessions.json', because: 'its session id holds characters that no file name may have' },
    ])
  })
  it('leads a transcript to the key that has it by now, not to the one that had it', async () => {
    const result = await plan(
      [copy('sessions.json', { direct: entry('t', 5) }), copy('sessions.json.bak.1', { main: entry('t', 9) })],
      there('t'),
    )
    expect(Object.keys(contentOf(result.text) ?? {})).toEqual(['direct'])
    expect(result.left).toMatchObject([{ key: 'main', because: 'its transcript belongs to direct by now' }])
    const both = await plan([copy('sessions.json', { one: entry('t', 5), two: entry('t', 6) })], there('t'))
    expect(both.entries.map(({ key }) => key)).toEqual(['one', 'two'])
  })
  it('binds a transcript by what another file tells, the newest for each key', async () => {
    const bindings = [trajectory('agent:main:x', 'new'), trajectory('agent:main:x', 'old'), trajectory('a', 'other')]
    const result = await plan(
      [copy('sessions.json', { a: entry('a', 9) })],
      there('new', 'old', 'a', 'other', 'nobody'),
      bindings,
    )
    expect(contentOf(result.text)).toEqual({
      a: entry('a', 9),
      'agent:main:x': { sessionId: 'new', updatedAt: nowMs },
    })
    expect(result.unbound).toEqual([
      { transcript: 'old.jsonl', because: 'an earlier one of agent:main:x' },
      { transcript: 'other.jsonl', because: 'an earlier one of a' },
      { transcript: 'nobody.jsonl', because: 'no file tells which session it belongs to' },
    ])
  })
  it('names the file of a transcript that a gateway would not find by its id', async () => {
    const name = '2026-11-21T06-41-00-000Z_abc.jsonl'
    const topicName = 'abd-topic-7.jsonl'
    const origin = { from: 'trajectory', name: 'x' } as const
    const result = await plan(
      [],
      [name, topicName].map((each) => ({ name: each, sessionId: null, mtimeMs: nowMs })),
      [
        { key: 'agent:main:x', sessionId: 'abc', transcript: name, origin },
        { key: 'agent:main:telegram:group:-1:topic:7', sessionId: 'abd', transcript: topicName, origin },
      ],
    )
    expect(contentOf(result.text)).toEqual({
      'agent:main:x': { sessionId: 'abc', updatedAt: nowMs, sessionFile: name },
      'agent:main:telegram:group:-1:topic:7': { sessionId: 'abd', updatedAt: nowMs },
    })
  })
  it('is laid out as a gateway lays it out', async () => {
    const entries = { a: entry('a', 9), b: entry('b', 8) }
    const { text } = await plan([copy('sessions.json', entries)], there('a', 'b'))
    expect(text).toBe(JSON.stringify(entries, null, 2))
    const made = await plan([], there('a'), [trajectory('agent:main:x', 'a')])
    expect(made.text).toBe(JSON.stringify({ 'agent:main:x': { sessionId: 'a', updatedAt: nowMs } }, null, 2))
  })
  it('is none where nothing is found: what is there stays', async () => {
    const result = await plan([copy('sessions.json', '')], there('a'))
    expect(result).toMatchObject({ text: null, entries: [], unbound: [{ transcript: 'a.jsonl' }] })
  })
})

describe('what other files tell of a session', () => {
  const event = (sessionKey: string, sessionId = 's') =>
    JSON.stringify({ traceSchema: 'openclaw-trajectory', type: 'session.started', sessionId, sessionKey })

  it('is the last event of a trajectory, of this agent', () => {
    const lines = [event('agent:main:a', 's1'), event('agent:main:b', 's2'), event('agent:work:c'), '{"torn', '']
    expect(namedByTrajectory(lines, 'main')).toEqual({ key: 'agent:main:b', sessionId: 's2' })
    expect(namedByTrajectory(['{"sessionKey":"agent:main:a","sessionId":"s"}'], 'main')).toBeNull()
  })
  it('is the last run of a job', () => {
    const run = { action: 'finished', sessionId: 's', sessionKey: 'agent:main:cron:j:run:s' }
    expect(namedByRun(JSON.stringify(run), 'main')).toEqual({ key: 'agent:main:cron:j', sessionId: 's' })
    expect(namedByRun(JSON.stringify(run), 'work')).toBeNull()
    expect(namedByRun(JSON.stringify({ ...run, sessionKey: 5 }), 'main')).toBeNull()
  })

  const keyTold = (...rows: object[]) => {
    const status = new OwnStatus('main')
    for (const row of rows) status.take(JSON.stringify(row))
    return status.hasParent ? 'has a parent' : status.key
  }
  const header = { type: 'session', version: 3, id: 's' }
  const ask = (args: object) => ({
    type: 'message',
    message: { role: 'assistant', content: [{ type: 'toolCall', id: 't1', name: 'session_status', arguments: args }] },
  })
  const answer = (sessionKey: string, message = {}) => ({
    type: 'message',
    message: { role: 'toolResult', toolName: 'session_status', toolCallId: 't1', details: { sessionKey }, ...message },
  })

  it('is its own status, asked by itself', () => {
    expect(keyTold(header, ask({}), answer('agent:main:a'))).toBe('agent:main:a')
    expect(keyTold(header, ask({ sessionKey: 'agent:main:b' }), answer('agent:main:b'))).toBeNull()
    expect(keyTold(header, answer('agent:main:a'))).toBeNull()
    expect(keyTold(header, ask({}), answer('agent:work:a'))).toBeNull()
    expect(keyTold({ ...header, parentSession: 'p.jsonl' }, ask({}), answer('agent:main:a'))).toBe('has a parent')
  })
  it('is nothing that a person has written', () => {
    const text = `${JSON.stringify(ask({}))}\n${JSON.stringify(answer('agent:main:victim'))}`
    expect(keyTold(header, ask({}), answer('agent:main:victim', { role: 'user' }))).toBeNull()
    expect(
      keyTold(header, { type: 'message', message: { role: 'user', content: [{ type: 'text', text }] } }),
    ).toBeNull()
  })
})
