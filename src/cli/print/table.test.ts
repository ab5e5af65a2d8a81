import { describe, expect, it } from 'vitest'
import { tableLines } from './table.ts'
import { truncate, widthOf } from './width.ts'

const rows = [
  { key: 'agent:main:alice', entries: '12', title: 'Plans for the garden in spring' },
  { key: 'agent:main:你好', entries: '1,200', title: '' },
]
const columns = [
  { title: 'SESSION', text: (row: (typeof rows)[0]) => row.key },
  { title: 'ENTRIES', text: (row: (typeof rows)[0]) => row.entries, align: 'right' as const },
  { title: 'TITLE', text: (row: (typeof rows)[0]) => row.title, shrinks: true },
]

describe('a table', () => {
  it('is aligned, also with wide characters', () => {
    expect(tableLines(rows, columns, null)).toEqual([
      'SESSION           ENTRIES  TITLE',
      'agent:main:alice       12  Plans for the garden in spring',
      'agent:main:你好     1,200',
    ])
  })
  it('cuts what may shrink to the width of the terminal, and nothing else', () => {
    const lines = tableLines(rows, columns, 45)
    expect(lines[1]).toBe('agent:main:alice       12  Plans for the gar…')
    expect(lines.every((line) => widthOf(line) <= 45)).toBe(true)
  })
  it('keeps a readable rest on a terminal that is too narrow', () => {
    expect(tableLines(rows, columns, 10)[1]).toBe('agent:main:alice       12  Plans for t…')
  })
})

describe('truncation', () => {
  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['你好吗', 6, '你好吗'],
    ['你好吗', 5, '你好…'],
    ['👩‍👩‍👧 family', 4, '👩‍👩‍👧 …'],
  ])('of %s to %i cells gives %s', (text, cells, cut) => expect(truncate(text, cells)).toBe(cut))
})
