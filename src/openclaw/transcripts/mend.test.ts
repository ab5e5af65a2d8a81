import { describe, expect, it } from 'vitest'
import { made, mend, plan } from '../../../test/openclaw/transcripts/mended.ts'
import { file, header, reply, row, user } from '../../../test/openclaw/transcripts/rows.ts'

const a = user('a', null)
const b = user('b', 'a')
const c = user('c', 'b')
const cut = user('x', 'a', 'a long text that was cut').slice(0, 90)
const escaped = (text: string) => user('a', null).replace('"text":"a"', `"text":"${text}"`)
const bytes = (text: string) => Buffer.from(text, 'latin1')

type Case = [string, Buffer, Buffer | null, string[]?]

/** What a file becomes, and what is told of it. null: nothing is to be done. */
describe('a mended transcript', () => {
  it.each<Case>([
    ['is the same where nothing is wrong', file(header, a, b, user('d', 'a')), null],
    ['is the same where nothing can be done', file(header.replace('3', '1'), a), null],
    [
      'ends where its tail was torn',
      Buffer.concat([file(header, a, b), Buffer.from(cut)]),
      file(header, a, b),
      [`4 taken out: ${cut.length} bytes that are no entry were taken out`],
    ],
    [
      'has its last line feed',
      file(header, a, b).subarray(0, -1),
      file(header, a, b),
      ['3 mended: it got its line feed'],
    ],
    ['has a header that was made', file(a, b), file(made, a, b), ['0 added: a header was made']],
    [
      'has a header in place of a cut one',
      file(header.slice(0, 30), a),
      file(made, a),
      ['0 added: a header was made', '1 taken out: 30 bytes that are no entry were taken out'],
    ],
    ['has its own header first', file(a, header, b), file(header, a, b), ['2 moved: it stands first now']],
    ['has a header even if nothing else is left', Buffer.alloc(0), file(made), ['0 added: a header was made']],
    [
      'has no line that is none',
      file(header, a, 'rubbish', b),
      file(header, a, b),
      ['3 taken out: 7 bytes that are no entry were taken out'],
    ],
    [
      'has a line for each entry',
      file(header, a + b, c),
      file(header, a, b, c),
      ['2 mended: 2 entries got lines of their own'],
    ],
    [
      'has what was welded to a cut entry',
      file(header, a, cut + b, c),
      file(header, a, b, c),
      [`3 mended: ${cut.length} bytes that are no entry were taken out`],
    ],
    [
      'has what a cut entry was welded to',
      file(header, a, b + cut, c),
      file(header, a, b, c),
      [`3 mended: ${cut.length} bytes that are no entry were taken out`],
    ],
    [
      'has both sides of a flipped line feed',
      file(header, `${a}*${b}`),
      file(header, a, b),
      ['2 mended: 2 entries got lines of their own; 1 bytes that are no entry were taken out'],
    ],
    [
      'has no zeros',
      file(header, `\0\0${a}`, '\0\0\0', b),
      file(header, a, b),
      ['2 mended: zeros were taken out (2 bytes)', '3 taken out: zeros were taken out (3 bytes)'],
    ],
    [
      'has U+FFFD for half a character',
      file(header, escaped('x\\ud83dy\\uDE00'), b),
      file(header, escaped('x\\ufffdy\\ufffd'), b),
      ['2 mended: half characters became U+FFFD'],
    ],
    ['has whole characters as they are', file(header, escaped('\\ud83d\\ude00\\\\ud83d')), null],
    [
      'has U+FFFD for half a character in bytes',
      file(header, bytes(escaped('x\xed\xa0\xbdy'))),
      file(header, escaped('x\ufffdy')),
      ['2 mended: half characters became U+FFFD'],
    ],
    [
      'has a character for two halves in bytes',
      file(header, bytes(escaped('\xed\xa0\xbd\xed\xb8\x80'))),
      file(header, escaped('😀')),
      ['2 mended: bytes that are no UTF-8 became U+FFFD'],
    ],
    [
      'has U+FFFD for what is no UTF-8',
      file(header, bytes(escaped('gr\xfc\xdfe'))),
      file(header, escaped('gr\ufffd\ufffde')),
      ['2 mended: bytes that are no UTF-8 became U+FFFD'],
    ],
    [
      'has each line once',
      file(header, a, b, a, c),
      file(header, a, b, c),
      ['4 taken out: it is stored twice, the second one was taken out'],
    ],
    [
      'has an id for each entry, and who follows the second goes on following it',
      file(header, a, b, user('b', 'a', 'other'), c),
      file(header, a, b, user('5e3bfce6', 'b', 'other'), user('c', '5e3bfce6')),
    ],
    [
      'has the chain where it was broken',
      file(header, a, c, user('d', 'c')),
      file(header, a, user('c', 'a'), user('d', 'c')),
      ['3 mended: it follows a now'],
    ],
    [
      'has a link for an entry that has lost its own under zeros',
      file(header, a, b.replace('"parentId":"a",', '\0'.repeat(15))),
      file(header, a, b.replace('"parentId":"a",', '').replace(/}$/, ',"parentId":"a"}')),
    ],
    [
      'has no link to what stands beside the conversation',
      file(header, a, row('custom', 's', 'a', { appendMode: 'side' }), c),
      file(header, a, row('custom', 's', 'a', { appendMode: 'side' }), user('c', 'a')),
    ],
    [
      'has no circle',
      file(header, user('a', 'b'), b),
      file(header, a, b),
      ['2 mended: it is the first of its chain now'],
    ],
    [
      'has each reply once, and all that named the second name the first',
      file(
        header,
        reply('a', null),
        row('custom', 'k', 'a'),
        reply('b', 'k', { api: 'cli' }),
        user('c', 'b'),
        row('compaction', 'd', 'c', { summary: 's', firstKeptEntryId: 'b' }),
        row('label', 'e', 'd', { targetId: 'b', label: 'l' }),
        row('leaf', 'f', 'e', { targetId: 'b' }),
      ),
      file(
        header,
        reply('a', null),
        row('custom', 'k', 'a'),
        user('c', 'k'),
        row('compaction', 'd', 'c', { summary: 's', firstKeptEntryId: 'a' }),
        row('label', 'e', 'd', { targetId: 'a', label: 'l' }),
        row('leaf', 'f', 'e', { targetId: 'k' }),
      ),
    ],
    [
      'has no name of a reply that is taken out, not even where it came before that reply',
      file(
        header,
        user('q', null),
        row('compaction', 'k', 'b', { firstKeptEntryId: 'b' }),
        reply('a', 'q'),
        reply('b', 'a', { api: 'cli' }),
        user('c', 'k'),
      ),
      file(
        header,
        user('q', null),
        row('compaction', 'k', 'a', { firstKeptEntryId: 'a' }),
        reply('a', 'q'),
        user('c', 'k'),
      ),
    ],
    [
      'takes nothing for an entry that stands in a cut one',
      file(header, a, `{"type":"message","id":"x","parentId":"a","message":{"content":[{"arguments":${b}}`, c),
      file(header, a, user('c', 'a')),
    ],
    [
      'takes no part of a cut entry for one',
      file(header, a, `{"type":"message","id":"x","message":{"content":[{"type":"toolCall","id":"t"}${b}`, c),
      file(header, a, b, c),
    ],
    [
      'keeps white space, order and numbers of a line that changes',
      file(header, a, `  {"parentId" : "nowhere",  "n": 1.0e2, "type":"custom","id":"c"} \r`),
      file(header, a, `  {"parentId" : "a",  "n": 1.0e2, "type":"custom","id":"c"} \r`),
    ],
    [
      'gives an id to a row without one',
      file(header, a, '{"type":"message","message":{"role":"user","content":"x"}}'),
      file(header, a, '{"type":"message","message":{"role":"user","content":"x"},"id":"f22993f2","parentId":"a"}'),
    ],
  ])('%s', async (_, content, mended, reports) => {
    const repair = await plan(content)
    if (mended === null) expect(repair).toBeNull()
    else expect((await mend(content)).toString()).toBe(mended.toString())
    if (reports !== undefined)
      expect(repair?.reports.map(({ line, outcome, because }) => `${line} ${outcome}: ${because}`)).toEqual(reports)
  })
})

describe('a line that is too long to be judged', () => {
  it('stays as it is, and nobody who follows it is called an orphan', async () => {
    const long = user('long', 'a', 'x'.repeat(2_000))
    const content = file(header, a, long, user('b', 'long'), 'rubbish', c)
    const mended = await mend(content, 1_000)
    expect(mended.toString()).toBe(file(header, a, long, user('b', 'long'), c).toString())
  })
})

describe('a line of hostile length', () => {
  it('is split in time that grows with its length', async () => {
    const { length } = await mend(file(header, '{"type":"'.repeat(50_000)))
    expect(length).toBe(file(header).length)
  })
})
