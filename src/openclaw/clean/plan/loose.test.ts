import { describe, expect, it } from 'vitest'
import { ago, indexWith, old, plan, short } from '../../../../test/openclaw/clean/scene.ts'
import { dayMs, hourMs, lockOf, readIndexOf } from '../../../../test/openclaw/facts.ts'

describe('files that no session needs', () => {
  it.each([
    ['x.jsonl', 5 * dayMs, 'archive-transcript'],
    ['x.jsonl.deleted.2026-11-01T10-11-12.345Z', dayMs, 'archive-leftover'],
    ['x.jsonl.reset.2026-11-01T10-11-12.345Z', dayMs, 'archive-leftover'],
    ['x.jsonl.bak', dayMs, 'archive-leftover'],
    ['x.jsonl.corrupt-2026-11-01T10-11-12-345Z-01234567.jsonl', dayMs, 'archive-leftover'],
    ['x.checkpoint.68998807-2fe8-4249-8cfb-ec5d6b2bbbb9.jsonl', dayMs, 'archive-leftover'],
    ['x.trajectory.jsonl', dayMs, 'archive-leftover'],
    ['x.trajectory-path.json', dayMs, 'archive-leftover'],
    ['x.acp-stream.jsonl', dayMs, 'archive-leftover'],
    ['sessions.json.corrupt-1777630272345', dayMs, 'archive-leftover'],
    ['x.jsonl.9f0e.tmp', 5 * 60_000, 'remove-temporary'],
    ['sessions.json.9f0e.tmp', 5 * 60_000, 'remove-temporary'],
  ])('%s goes after its time', (name, limitMs, kind) => {
    expect(short({ files: [old(name, limitMs)] })).toEqual([])
    expect(short({ files: [old(name, limitMs + 1)] })).toEqual([`${kind} ${name}`])
  })
  it.each([
    'sessions.json',
    'sessions.json.lock',
    'sessions.json.telegram-messages.json',
    'sessions.json.migrated',
    'x.jsonl.lock',
    'notes.txt',
    `${'a'.repeat(64)}.txt`,
    `${'a'.repeat(64)}.jsonl.zst`,
  ])('%s never goes', (name) => {
    const policy = { diskBudget: { maxBytes: 1, lowBytes: 1 } }
    expect(
      short({
        files: [old(name, 900 * dayMs)],
        policy,
      }),
    ).toEqual([])
  })
  it('a deletion counts from when it happened, not from the last word', () => {
    const name = `x.jsonl.deleted.${new Date(ago(hourMs)).toISOString().replaceAll(':', '-')}`
    expect(short({ files: [old(name, 90 * dayMs)] })).toEqual([])
  })
  it('what was said before a reset stays when a person wants it to', () => {
    const files = [old('x.jsonl.reset.2026-11-01T10-11-12.345Z', 20 * dayMs)]
    expect(short({ files, policy: { resetMs: null, diskBudget: { maxBytes: 3_000, lowBytes: 2_500 } } })).toEqual([])
  })
  it('traces and checkpoints stay as long as their session is used', () => {
    const name = 'today.trajectory.jsonl'
    expect(short({ files: [old(name, 3 * dayMs)] })).toEqual([])
  })
  it('of the copies of an index the newest stay, however old', () => {
    const files = [1, 2, 3, 4, 5].map((at) => old(`sessions.json.bak.${ago(at * dayMs)}`, at * dayMs + 1))
    expect(short({ files })).toEqual([4, 5].map((at) => `archive-leftover sessions.json.bak.${ago(at * dayMs)}`))
  })
  it('locked ones stay', () => {
    expect(
      short({ files: [old('x.jsonl', 9 * dayMs)], agent: { index: indexWith({}), locks: [lockOf('x', 'live')] } }),
    ).toEqual([])
    expect(
      short({ files: [old('x.jsonl', 9 * dayMs)], agent: { index: indexWith({}), locks: [lockOf('x', 'dead')] } }),
    ).toEqual(['archive-transcript x.jsonl', 'clear-lock x.jsonl.lock'])
  })
})

describe('an index that does not tell which transcripts are in use', () => {
  const files = [old('x.jsonl', 90 * dayMs), old('y.jsonl.bak', 90 * dayMs), old('x.trajectory.jsonl', 90 * dayMs)]
  it.each([
    [
      'is unreadable',
      { state: 'unreadable', because: 'it is empty (0 bytes)', bytes: 0, identity: null } as const,
      /cannot be read \(it is empty/,
    ],
    ['is not there', { state: 'absent' } as const, /There is no index over 1 transcript/],
    ['is empty', readIndexOf([]), /The index is empty over 1 transcript/],
  ])('%s: transcripts stay, leftovers go', (_, index, told) => {
    const policy = { diskBudget: { maxBytes: 1, lowBytes: 1 } }
    const found = plan({ agent: { index, files }, policy })
    expect(found.steps.map(({ path }) => path.split('/').at(-1))).toEqual(['y.jsonl.bak'])
    expect(found.notes[0]).toMatch(told)
  })
})
