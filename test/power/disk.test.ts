import { describe, expect, it } from 'vitest'
import { crashStates } from './disk.ts'
import { type Call, callsIn } from './trace.ts'

const path = '/d/log'
const file = `${path}#1`
const write = (offset: number, text: string): Call => ({ kind: 'write', file, offset, data: Buffer.from(text) })
const create: Call = { kind: 'create', path, file }
const told: Call = { kind: 'told', text: 'ok' }
const sync = (covers: number, synced = file): Call => ({ kind: 'sync', file: synced, covers })

/** What can be read after a power loss at any moment, with the number of lines that had been told. */
function outcomes(calls: Call[]): string[] {
  const states = [...crashStates(calls, () => 0.5)]
  return [
    ...new Set(states.map(({ toldCount, files }) => `${toldCount} ${files().get(path)?.toString() ?? 'no file'}`)),
  ].sort()
}

describe('the disk that loses what was not synced', () => {
  it('may lose a whole file whose directory was not synced', () => {
    const found = outcomes([create, write(0, 'a'), sync(2), told])
    expect(found).toContain('1 no file')
    expect(outcomes([create, write(0, 'a'), sync(2), sync(3, '/d'), told])).not.toContain('1 no file')
  })

  it('keeps what was synced, and shows any part of the rest', () => {
    const found = outcomes([create, sync(1, '/d'), write(0, 'a'), sync(3), told, write(1, 'b'), write(2, 'c')])
    expect(found.filter((state) => state.startsWith('1'))).toEqual(['1 a', '1 a\0c', '1 ab', '1 abc'])
  })

  it('does not take an fsync for one of what was written after it had begun', () => {
    const found = outcomes([create, sync(1, '/d'), write(0, 'a'), write(1, 'b'), sync(3), told])
    expect(found.filter((state) => state.startsWith('1'))).toEqual(['1 a', '1 ab'])
  })

  it('tears a write', () => {
    const long = 'x'.repeat(2_000)
    const found = outcomes([create, sync(1, '/d'), write(0, long)]).map((state) => state.length - 2)
    expect(found).toEqual(expect.arrayContaining([0, 1, 512, 1_536, 2_000]))
  })

  it('does not mix a file with the one that had its name before', () => {
    const again = `${path}#2`
    const calls: Call[] = [
      ...[create, write(0, 'old'), sync(2), sync(3, '/d')],
      { kind: 'unlink', path },
      { kind: 'create', path, file: again },
      { kind: 'write', file: again, offset: 0, data: Buffer.from('n') },
    ]
    expect(outcomes(calls)).toEqual(['0 ', '0 n', '0 no file', '0 o', '0 old'])
  })

  it('may show either name of a rename', () => {
    const calls: Call[] = [create, write(0, 'a'), sync(2), sync(3, '/d'), { kind: 'rename', path, to: '/d/other' }]
    const names = [...crashStates(calls, () => 0.5)].slice(-2).map(({ files }) => [...files().keys()].join())
    expect(names.sort()).toEqual(['/d/log', '/d/other'])
  })
})

const hex = (text: string) => [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')

describe('the trace', () => {
  it('gives calls of several threads in the order in which they returned, and knows what an fsync covers', () => {
    const trace = [
      `7 openat(AT_FDCWD<${hex('/')}>, "${hex(path)}", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 21<${hex(path)}>`,
      `7 pwrite64(21<${hex(path)}>, "${hex('abc')}", 3, 0) = 2`,
      `7 fsync(21<${hex(path)}> <unfinished ...>`,
      `8 pwrite64(21<${hex(path)}>, "${hex('d')}", 1, 9 <unfinished ...>`,
      '7 <... fsync resumed>)            = 0',
      '8 <... pwrite64 resumed>)         = 1',
      `9 write(1<${hex('/d/journal')}>, "${hex('ok\n')}", 3) = 3`,
      `7 ftruncate(21<${hex(path)}>, 5)    = 0`,
      `7 pwrite64(21<${hex(path)}>, "${hex('e')}", 1, 9) = -1 ENOSPC (No space left on device) (INJECTED)`,
      `7 unlink("${hex(path)}") = 0`,
      '7 +++ exited with 0 +++',
    ].join('\n')
    expect(callsIn(trace, '/d/journal')).toEqual([
      { kind: 'create', path, file },
      { kind: 'write', file, offset: 0, data: Buffer.from('ab') },
      { kind: 'sync', file, covers: 2 },
      { kind: 'write', file, offset: 9, data: Buffer.from('d') },
      { kind: 'told', text: 'ok\n' },
      { kind: 'truncate', file, length: 5 },
      { kind: 'unlink', path },
    ])
  })
})
