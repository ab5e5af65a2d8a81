import { describe, expect, it } from 'vitest'
import { file, header, linesOf, reply, row, user } from '../../../test/openclaw/transcripts/rows.ts'
import type { RowEdit } from './chain.ts'
import { Ledger } from './ledger.ts'

function missing(before: Buffer, after: Buffer, drops: number[] = []): number {
  const edits = new Map<number, RowEdit>(drops.map((at) => [at, { drop: true }]))
  const ledger = new Ledger()
  for (const line of linesOf(before, 5_000)) ledger.original(line, edits)
  for (const line of linesOf(after, 5_000)) ledger.mended(line)
  return ledger.missing()
}

const a = user('a', null)
const b = user('b', 'a', 'something')
const long = user('long', 'a', 'x'.repeat(6_000))

describe('what could be read before', () => {
  it.each<[string, Buffer, Buffer, number, number[]?]>([
    ['is all there where nothing was changed', file(header, a, b), file(header, a, b), 0],
    [
      'is there with another id, parent and other links',
      file(a, row('label', 'l', 'a', { targetId: 'a' })),
      file(user('x', null, 'a'), row('label', 'm', null, { targetId: 'y' })),
      0,
    ],
    [
      'is there with U+FFFD for half a character',
      file(user('a', null, '\ud83d')),
      file(user('a', null, '\ufffd').replace('\ufffd', '\\ufffd')),
      0,
    ],
    ['was not there when it could not be read', file(header, 'rubbish', a + b), file(header, a, b), 0],
    ['is missing when a line is', file(header, a, b), file(header, a), 1],
    ['is missing when the header is', file(header, a), file(a), 1],
    ['is missing when a word is another', file(header, a, b), file(header, a, b.replace('some', 'same')), 1],
    [
      'is missing when a number is another',
      file(row('custom', 'a', null, { n: 1 })),
      file(row('custom', 'a', null, { n: 2 })),
      1,
    ],
    ['is missing when one of two that are alike is', file(a, user('c', 'a', 'a')), file(a), 1],
    ['is missing when it cannot be read any more', file(header, a, b), file(header, a + b), 2],
    ['is there once where it was stored twice and one was taken out', file(a, a), file(a), 0, [1]],
    ['is missing when both were taken out', file(a, a), file(header), 1, [0, 1]],
    [
      'is there when the second reply was taken out',
      file(reply('a', null), reply('b', 'a', { api: 'cli' })),
      file(reply('a', null)),
      0,
      [1],
    ],
    [
      'is missing when a reply was taken out that says something else',
      file(reply('a', null), reply('b', 'a', { text: 'no' })),
      file(reply('a', null)),
      1,
      [1],
    ],
    ['is there with a line too long to be read', file(header, long, a), file(header, long, a), 0],
    ['is missing with a long line', file(header, long, a), file(header, a), 1],
  ])('%s', (_, before, after, count, drops) => expect(missing(before, after, drops)).toBe(count))
})
