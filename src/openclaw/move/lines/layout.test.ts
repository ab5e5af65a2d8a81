import { describe, expect, it } from 'vitest'
import { countMessage, countText } from '../../../compaction/meter.ts'
import { type Layout, Layouter } from './layout.ts'
import { carry, type SourceLine, uncarry } from './line.ts'

const meter = { message: countMessage, text: countText }
const user = (content: string) => ({ role: 'user', content })
const reply = (text: string, api = 'x') => ({
  role: 'assistant',
  content: [{ type: 'text', text }],
  api,
  usage: { totalTokens: 9 },
})

type Written = Record<string, unknown> | string

/** Rows that follow each other unless they say otherwise; ids are `1`, `2` … */
function lines(rows: Written[]): SourceLine[] {
  return rows.map((row, index) => {
    const full =
      typeof row === 'string'
        ? row
        : JSON.stringify({ type: 'message', id: `${index}`, parentId: index === 0 ? null : `${index - 1}`, ...row })
    const data = Buffer.from(full)
    return { number: index + 1, bytes: data.length, data, ended: true }
  })
}

function layOut(rows: Written[]): Layout[] {
  const layouter = new Layouter(meter)
  for (const line of lines(rows)) layouter.line(line)
  return layouter.end()
}

/** Texts of what is shown, `~` before a summary. Positions are: 1 the opening, 2 the lines, then one for each message. */
function shown(rows: Written[]): string[] {
  const [layout] = layOut(rows) as [Layout]
  const summary = layout.summaries.at(-1)
  const said = rows.flatMap((row) =>
    typeof row === 'object' && row.message !== undefined ? [row.message as { content: unknown }] : [],
  )
  const kept = said.flatMap(({ content }, index) => {
    const seq = index + 3
    const isHidden = layout.hidden.some(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq)
    const text = typeof content === 'string' ? content : (content as { text: string }[])[0]?.text
    return isHidden || seq <= (summary?.uptoSeq ?? 0) ? [] : [String(text)]
  })
  return summary === undefined ? kept : [`~${summary.text}`, ...kept]
}

const header = '{"type":"session","version":3,"id":"s","timestamp":"2026-11-21T06:39:22.491Z","cwd":"/"}'

describe('what is shown of a transcript', () => {
  it('is its last branch', () => {
    const rows = [
      { message: user('a') },
      { message: reply('b') },
      { message: user('c') },
      { message: user('d'), parentId: '1' },
    ]
    expect(shown(rows)).toEqual(['a', 'b', 'd'])
    expect(layOut(rows)[0]?.counts.aside).toBe(1)
  })

  it('goes on from the leaf where a parent is missing', () => {
    expect(shown([{ message: user('a') }, { message: reply('b'), parentId: 'gone' }, { message: user('c') }])).toEqual([
      'a',
      'b',
      'c',
    ])
  })

  it('is what rows without ids and parents say one after the other', () => {
    const old = (content: string) => JSON.stringify({ type: 'message', message: user(content) })
    const [layout] = layOut([header, old('a'), old('b')]) as [Layout]
    expect(layout).toMatchObject({ entries: 4, hidden: [], counts: { user: 2 } })
  })

  it('goes back to where a leaf points, and on from there', () => {
    const leaf = { type: 'leaf', targetId: '0' }
    expect(shown([{ message: user('a') }, { message: user('b') }, leaf, { message: user('c') }])).toEqual(['a', 'c'])
    expect(
      shown([
        { message: user('a') },
        { message: user('b') },
        { ...leaf, targetId: 'gone' },
        { message: user('c'), parentId: '1' },
      ]),
    ).toEqual(['a', 'b', 'c'])
  })

  it('leaves out what stands aside', () => {
    const aside = { message: user('b'), appendMode: 'side' }
    expect(shown([{ message: user('a') }, aside, { message: user('c') }])).toEqual(['a', 'c'])
  })

  it('leaves out a reply that was stored twice, and keeps one that was said twice', () => {
    expect(shown([{ message: reply('b') }, { type: 'custom' }, { message: reply('b', 'cli') }])).toEqual(['b'])
    expect(shown([{ message: reply('b') }, { message: user('again') }, { message: reply('b', 'cli') }])).toEqual([
      'b',
      'again',
      'b',
    ])
    expect(shown([{ message: reply('b') }, { message: reply('b') }])).toEqual(['b', 'b'])
  })

  it('begins with a summary and what it keeps', () => {
    const compaction = (firstKeptEntryId: string, summary = 's') => ({ type: 'compaction', summary, firstKeptEntryId })
    const said = [{ message: user('a') }, { message: reply('b') }, { message: user('c') }]
    expect(shown([...said, compaction('2'), { message: user('d') }])).toEqual(['~s', 'c', 'd'])
    expect(shown([...said, compaction('gone'), { message: user('d') }])).toEqual(['~s', 'd'])
    expect(shown([...said, compaction('1', 's'), compaction('2', 't'), { message: user('d') }])).toEqual([
      '~t',
      'c',
      'd',
    ])
    expect(shown([...said, compaction('2', 's'), compaction('1', 't'), { message: user('d') }])).toEqual([
      '~t',
      'b',
      'c',
      'd',
    ])
    const twice = [
      { message: user('a') },
      { message: reply('b') },
      { message: reply('b', 'cli') },
      compaction('2'),
      { message: user('d') },
    ]
    expect(shown(twice)).toEqual(['~s', 'b', 'd'])
  })

  it('begins with what a reset has kept', () => {
    const rows = [
      { message: user('a') },
      { message: user('b') },
      { type: 'reset', firstKeptEntryId: '1' },
      { message: user('c') },
    ]
    expect(shown(rows)).toEqual(['b', 'c'])
  })
})

describe('a reset', () => {
  it('begins a new incarnation with its own row', () => {
    const rows = [{ message: user('a') }, { type: 'reset', reason: 'new' }, { message: user('b') }]
    expect(layOut(rows)).toMatchObject([
      { firstLine: 1, lastLine: 1, entries: 3, reset: null },
      { firstLine: 2, lastLine: 3, entries: 4, reset: 'new' },
    ])
  })
})

describe('positions and counts', () => {
  it('name every entry, with the tokens of what is shown', () => {
    const rows = [{ message: user('hello there') }, { message: reply('hi') }, { message: reply('hi', 'cli') }]
    const [layout] = layOut(rows) as [Layout]
    const [first, second] = [
      countMessage({ role: 'user', content: 'hello there' }),
      countMessage({ role: 'assistant', content: 'hi' }),
    ]
    expect(layout.tokens).toEqual([0, 0, first, second, second])
    expect(layout).toMatchObject({
      entries: 5,
      contextTokens: first + second,
      hidden: [{ fromSeq: 5, toSeq: 5, count: 1, tokens: second }],
    })
  })

  it('go on behind each chunk of lines', () => {
    const many = Array.from({ length: 401 }, (_, index) => ({ message: user(`m${index}`) }))
    expect(layOut(many)[0]).toMatchObject({ entries: 1 + 401 + 3 })
    expect(layOut([{ message: user('x'.repeat(200_000)) }, { message: user('y') }])[0]).toMatchObject({
      entries: 1 + 2 + 2,
    })
  })

  it('are none for an empty transcript', () => {
    expect(layOut([])).toMatchObject([{ firstLine: 1, lastLine: 0, entries: 1, contextTokens: 0 }])
  })
})

describe('a line that is carried along', () => {
  it.each([
    ['text', Buffer.from('{"a":"ü\\ud83d"}')],
    ['bytes that are no text', Buffer.from([0xff, 0, 0xfe])],
    ['an empty one', Buffer.alloc(0)],
  ])('%s comes back as it was', (_, data) => {
    const carried = JSON.parse(JSON.stringify(carry({ number: 1, bytes: data.length, data, ended: true })))
    expect(uncarry(carried)?.equals(data)).toBe(true)
  })

  it('that was too long is told and is not there', () => {
    const carried = carry({ number: 1, bytes: 20_000_000, data: null, ended: true })
    expect(carried).toEqual({ leftOut: 20_000_000 })
    expect(uncarry(carried)).toBeNull()
  })
})
