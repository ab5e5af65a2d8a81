import { describe, expect, it } from 'vitest'
import { file, header, linesOf, reply, row, user } from '../../../test/openclaw/transcripts/rows.ts'
import { TranscriptCheck } from './check.ts'
import type { DamageKind } from './facts.ts'

function check(content: string | Buffer) {
  const checker = new TranscriptCheck()
  for (const line of linesOf(Buffer.from(content as string))) checker.line(line)
  return checker.end(content.length)
}

/** `\ud83d` as it stands in JSON that a gateway writes. */
const half = (id: string, parentId: string | null) => user(id, parentId, 'hi \ud83d')

const whole = user('b', 'a')
const cut = user('x', 'a', 'a long text that was cut').slice(0, 90)

type Case = [string, string | Buffer, DamageKind[], { messages?: number; line?: number }?]

describe('a transcript', () => {
  it.each<Case>([
    ['with a header alone', file(header), [], { messages: 0 }],
    ['with two messages', file(header, user('a', null), whole), [], { messages: 2 }],
    ['of version 4', file(header.replace('3', '4'), user('a', null)), []],
    ['with full UUIDs', file(header, user('07b784ae-05ee-4d42-aa81-ba323bea1757', null)), []],
    ['with forks', file(header, user('a', null), whole, user('c', 'a'), user('d', 'a')), [], { messages: 4 }],
    ['with a new beginning', file(header, user('a', null), user('b', null)), []],
    ['with rows that name no parent', file(header, user('a', null), row('custom', 'b', undefined), user('c', 'b')), []],
    ['with rows of a kind that nobody knows', file(header, row('new.kind', 'a', null), user('b', 'a')), []],
    ['with control rows', file(header, user('a', null), row('leaf', 'l', 'a', { targetId: 'a' }), user('b', 'l')), []],
    ['with a label', file(header, user('a', null), row('label', 'l', 'a', { targetId: 'a', label: 'x' })), []],
    ['with a parent that comes later', file(header, user('c', 'b'), user('a', null), whole), []],
    ['whose first parent is the header', file(header, user('a', 's1')), []],
    ['with blank lines and CRLF', file(header, '', `${user('a', null)}\r`, '  \r'), [], { messages: 1 }],
    ['with a byte order mark', file(`\ufeff${header}`, user('a', null)), [], { messages: 1 }],
    ['with two headers', file(header, user('a', null), header, whole), [], { messages: 2 }],
    [
      'with whole characters in escapes',
      file(header, user('a', null).replace('"text":"a"', '"text":"\\ud83d\\ude00"')),
      [],
    ],
    ['with an escaped backslash before ud83d', file(header, user('a', null, '\\ud83d')), []],
    ['with replies alike that are no copies', file(header, reply('a', null), reply('b', 'a')), [], { messages: 2 }],
    [
      'with the answer to the next question alike',
      file(header, reply('a', null), whole, reply('c', 'b', { api: 'cli' })),
      [],
    ],

    ['that is empty', '', ['header-missing'], { messages: 0, line: 1 }],
    ['without a header', file(user('a', null)), ['header-missing'], { messages: 1, line: 1 }],
    ['whose header comes late', file(user('a', null), header), ['header-missing']],
    ['whose header is cut', file(header.slice(0, 40), user('a', null)), ['invalid-line', 'header-broken'], { line: 1 }],
    ['whose header has no id', file('{"type":"session","version":3}'), ['invalid-line', 'header-broken']],
    ['with rubbish before its header', file('rubbish', header, user('a', null)), ['invalid-line'], { line: 1 }],
    [
      'of version 1',
      file('{"type":"session","id":"s"}', '{"type":"message","message":{"role":"user"}}'),
      ['header-old'],
      { messages: 1 },
    ],
    ['of version 2', file(header.replace('3', '2'), user('a', null)), ['header-old']],
    ['with a torn tail', `${file(header, user('a', null))}${cut}`, ['torn-tail'], { messages: 1, line: 3 }],
    ['without a last line feed', file(header, user('a', null)).subarray(0, -1), ['unended-line'], { messages: 1 }],
    ['with a cut line', file(header, user('a', null), cut, whole), ['invalid-line'], { messages: 2, line: 3 }],
    ['with JSON that is no row', file(header, '[1]', '7', 'null', '{"a":1}'), Array(4).fill('invalid-line')],
    [
      'with a message without a role',
      file(header, row('message', 'a', null, { message: { role: null } })),
      ['invalid-line'],
    ],
    [
      'with a row without an id',
      file(header, '{"type":"message","message":{"role":"user"}}'),
      ['id-missing'],
      { messages: 1 },
    ],
    [
      'with two entries in a line',
      file(header, user('a', null) + whole, user('c', 'b')),
      ['welded-line'],
      { messages: 1, line: 2 },
    ],
    [
      'with a cut entry before a whole one',
      file(header, user('a', null), cut + whole, user('c', 'b')),
      ['welded-line'],
      { messages: 2 },
    ],
    [
      'with a whole entry before a cut one',
      file(header, user('a', null), whole + cut, user('c', 'b')),
      ['welded-line'],
    ],
    ['with zeros alone', file(header, '\0'.repeat(100), user('a', null)), ['nul-bytes'], { messages: 1, line: 2 }],
    ['with zeros before an entry', file(header, `\0\0${user('a', null)}`), ['nul-bytes'], { messages: 0 }],
    [
      'with bytes that are no UTF-8',
      file(header, Buffer.from(user('a', null, '\u00e9'), 'latin1')),
      ['not-utf8'],
      { messages: 1 },
    ],
    [
      'with half a character in escapes',
      file(header, half('a', null), whole),
      ['lone-surrogate'],
      { messages: 2, line: 2 },
    ],
    [
      'with half a character in bytes',
      file(header, raw(user('a', null, '@@@'), [0xed, 0xa0, 0xbd])),
      ['lone-surrogate'],
      { messages: 1 },
    ],
    [
      'nested too deep',
      file(header, user('a', null).replace('"a"}', `${'['.repeat(300)}${']'.repeat(300)}}`)),
      ['oversized-line'],
      { messages: 1 },
    ],
    [
      'with a line twice',
      file(header, user('a', null), whole, user('a', null)),
      ['duplicate-line'],
      { messages: 2, line: 4 },
    ],
    [
      'with one id for two',
      file(header, user('a', null), user('a', null, 'other')),
      ['duplicate-id'],
      { messages: 2, line: 3 },
    ],
    ['with a parent that is nowhere', file(header, user('a', null), user('c', 'b')), ['broken-parent'], { line: 3 }],
    ['with a parent of another type', file(header, '{"type":"custom","id":"a","parentId":7}'), ['broken-parent']],
    ['with its own parent', file(header, user('a', 'a')), ['broken-parent'], { line: 2 }],
    ['with parents in a circle', file(header, user('a', 'c'), whole, user('c', 'b')), ['broken-parent'], { line: 2 }],
    [
      'with a reply twice',
      file(header, reply('a', null), row('custom', 'c', 'a'), reply('b', 'c', { api: 'cli' })),
      ['duplicate-reply'],
      { messages: 1, line: 4 },
    ],
  ])('%s', (_, content, damage, { messages, line } = {}) => {
    const { facts } = check(content)
    expect(facts.damage.map(({ kind }) => kind).sort()).toEqual([...damage].sort())
    expect(facts.damaged).toBe(damage.length)
    if (messages !== undefined) expect(facts.messages).toBe(messages)
    if (line !== undefined) expect(facts.damage[0]?.line).toBe(line)
  })
})

/** Bytes in place of `@@@`. */
function raw(text: string, bytes: number[]): Buffer {
  const data = Buffer.from(text)
  return Buffer.concat([
    data.subarray(0, data.indexOf('@@@')),
    Buffer.from(bytes),
    data.subarray(data.indexOf('@@@') + 3),
  ])
}
