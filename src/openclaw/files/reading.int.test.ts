import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, realpath } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asNobody } from '../../../test/unprivileged.ts'
import { sha256 } from '../../host/random.ts'
import { sha256Of } from './digest.ts'
import { readLines } from './lines.ts'
import { listDirectory } from './list.ts'
import { openInside } from './open.ts'
import { readSmall } from './text.ts'

const isRoot = process.getuid?.() === 0
let root: string
let outside: string
const at = (name: string) => join(root, name)

beforeAll(async () => {
  const top = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-files-')))
  root = join(top, 'home')
  outside = join(top, 'outside')
  for (const path of [root, outside, at('sessions'), at('directory')]) mkdirSync(path)
  writeFileSync(join(outside, 'secret'), 'outside')
  writeFileSync(at('sessions/a.jsonl'), 'inside')
  symlinkSync(join(outside, 'secret'), at('link-out'))
  symlinkSync(outside, at('directory-out'))
  symlinkSync(at('sessions'), at('directory-in'))
  symlinkSync('nowhere', at('dangling'))
  execFileSync('mkfifo', [at('pipe'), join(outside, 'pipe')])
  if (isRoot) execFileSync('mknod', [at('device'), 'c', '1', '5'])
})
afterAll(() => rmSync(join(root, '..'), { recursive: true }))

describe('opening', () => {
  it('gives a file of the home, and null where nothing is', async () => {
    using file = await openInside(root, at('sessions/a.jsonl'))
    expect(file).toMatchObject({ bytes: 6, links: 1 })
    expect(await openInside(root, at('sessions/b.jsonl'))).toBeNull()
    expect(await openInside(root, at('sessions/a.jsonl/b'))).toBeNull()
    expect(await openInside(root, at('dangling/b'))).toBeNull()
  })

  it('follows a link of directories within the home only', async () => {
    using file = await openInside(root, at('directory-in/a.jsonl'))
    expect(file?.bytes).toBe(6)
  })

  it.each([
    'link-out',
    'directory-out/secret',
    'directory-out/pipe',
    'dangling',
    'directory',
    'pipe',
    ...(isRoot ? ['device'] : []),
  ])('refuses %s', async (name) => {
    await expect(openInside(root, at(name))).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
  })

  it('refuses a socket', async () => {
    const server = createServer().listen(at('socket'))
    await once(server, 'listening')
    await expect(openInside(root, at('socket'))).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
    server.close()
  })

  it.each(['../outside/secret', 'sessions/../sessions/a.jsonl', 'sessions//a.jsonl', 'a\0b'])(
    'refuses the path %j',
    async (name) => {
      await expect(openInside(root, `${root}/${name}`)).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
    },
  )

  it('takes a root whose own path has a link in it', async () => {
    const alias = join(outside, 'alias')
    symlinkSync(root, alias)
    using file = await openInside(alias, join(alias, 'sessions/a.jsonl'))
    expect(file?.bytes).toBe(6)
  })

  it('reads a file with two names', async () => {
    writeFileSync(at('one'), 'twice')
    linkSync(at('one'), at('two'))
    expect((await readSmall(root, at('two'), 100))?.data.toString()).toBe('twice')
  })

  it.runIf(isRoot)('tells what another user may not read apart from what is not there (root only)', async () => {
    writeFileSync(at('private'), 'x', { mode: 0o600 })
    chmodSync(join(root, '..'), 0o755)
    await asNobody(async () => {
      await expect(openInside(root, at('private'))).rejects.toMatchObject({ code: 'HOME_UNREADABLE' })
      expect((await readSmall(root, at('sessions/a.jsonl'), 100))?.data.toString()).toBe('inside')
    })
  })
})

describe('a small file', () => {
  it('is refused when it is long', async () => {
    await expect(readSmall(root, at('sessions/a.jsonl'), 5)).rejects.toMatchObject({ code: 'HOME_UNREADABLE' })
    expect((await readSmall(root, at('sessions/a.jsonl'), 6))?.data.length).toBe(6)
  })
})

/** Sparse on disk. */
const longBytes = 300 * 1024 ** 2

async function linesOf(content: Buffer | string, lineBytesMax: number) {
  writeFileSync(at('lines'), content)
  using file = await openInside(root, at('lines'))
  if (file === null) throw new Error('it was just written')
  const lines = []
  for await (const line of readLines(file, { lineBytesMax }))
    lines.push({ ...line, data: line.data?.toString('latin1') ?? null })
  return lines
}

describe('lines', () => {
  it('end at a line feed and at nothing else', async () => {
    expect(await linesOf('a\r\n\u2028b\n\nc', 100)).toEqual([
      { number: 1, offset: 0, bytes: 2, data: 'a\r', ended: true },
      { number: 2, offset: 3, bytes: 4, data: Buffer.from('\u2028b').toString('latin1'), ended: true },
      { number: 3, offset: 8, bytes: 0, data: '', ended: true },
      { number: 4, offset: 9, bytes: 1, data: 'c', ended: false },
    ])
    expect(await linesOf('', 100)).toEqual([])
    expect(await linesOf('\n', 100)).toMatchObject([{ bytes: 0, ended: true }])
  })

  it('have their bytes up to the limit and only their length over it', async () => {
    expect(await linesOf('abc\nabcd\nabc', 3)).toMatchObject([
      { bytes: 3, data: 'abc' },
      { bytes: 4, offset: 4, data: null },
      { bytes: 3, offset: 9, data: 'abc' },
    ])
  })

  it('go over the edge of a chunk, wherever it is', async () => {
    for (const first of [262_142, 262_143, 262_144, 262_145, 600_000]) {
      const text = `${'x'.repeat(first)}\n${'y'.repeat(300_000)}\nz`
      const found = await linesOf(text, 1_000_000)
      expect(found.map(({ data, ended }) => `${data}${ended ? '\n' : ''}`).join('')).toBe(text)
      expect(found.map(({ offset }) => offset)).toEqual([0, first + 1, first + 300_002])
    }
  })

  it('of any length do not fill the memory', async () => {
    const path = at('sparse')
    writeFileSync(path, 'a\n')
    truncateSync(path, longBytes)
    appendFileSync(path, '\nz')
    using file = await openInside(root, path)
    if (file === null) throw new Error('it was just written')
    const lines = []
    let mostBytes = 0
    for await (const { data, bytes } of readLines(file, { lineBytesMax: 16 * 1024 ** 2 })) {
      lines.push([bytes, data?.toString()])
      mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers)
    }
    expect(lines).toEqual([
      [1, 'a'],
      [longBytes - 2, undefined],
      [1, 'z'],
    ])
    expect(mostBytes).toBeLessThan(80 * 1024 ** 2)
    rmSync(path)
  })

  it('say when the file has become shorter under them', async () => {
    writeFileSync(at('shorter'), 'a\n'.repeat(400_000))
    using file = await openInside(root, at('shorter'))
    if (file === null) throw new Error('it was just written')
    const lines = readLines(file, { lineBytesMax: 10 })
    await lines.next()
    truncateSync(at('shorter'), 10)
    const rest = async () => {
      for await (const _ of lines);
    }
    await expect(rest()).rejects.toMatchObject({ code: 'HOME_CHANGED' })
  })
})

it('the digest is that of all bytes', async () => {
  const data = Buffer.alloc(700_001, 'abcdefg')
  writeFileSync(at('digest'), data)
  using file = await openInside(root, at('digest'))
  expect(file === null ? null : await sha256Of(file)).toBe(sha256(data))
})

describe('a directory', () => {
  it('is listed by name with what each thing is, links not followed', async () => {
    const found = (await listDirectory(root, root))?.map(({ name, what }) => [name, what])
    expect(found).toEqual(
      expect.arrayContaining([
        ['link-out', 'link'],
        ['dangling', 'link'],
        ['pipe', 'pipe'],
        ['directory', 'directory'],
        ['one', 'file'],
      ]),
    )
    expect(found).toEqual(found?.toSorted())
  })

  it('has names that cannot be named', async () => {
    mkdirSync(at('odd'))
    writeFileSync(Buffer.concat([Buffer.from(at('odd/')), Buffer.from([0x61, 0xff])]), '')
    expect(await listDirectory(root, at('odd'))).toMatchObject([{ name: 'a\ufffd', what: 'nameless' }])
  })

  it('that is not there is null; a link out of the home, a file and a pipe are refused', async () => {
    expect(await listDirectory(root, at('nothing'))).toBeNull()
    for (const name of ['directory-out', 'directory-in', 'one', 'pipe'])
      await expect(listDirectory(root, at(name))).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
  })

  it('of many names leaves the event loop its turns', async () => {
    mkdirSync(at('many'))
    for (let number = 0; number < 4_000; number += 1) writeFileSync(at(`many/${number}`), '')
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    }, 1)
    expect(await listDirectory(root, at('many'))).toHaveLength(4_000)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(0)
  })
})
