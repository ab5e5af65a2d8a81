import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { asNobody } from '../../../test/unprivileged.ts'
import { sha256 } from '../../host/random.ts'
import { createInside, ensureDirectory, setAttributes } from './create.ts'
import { identityOf, type Judged } from './identity.ts'
import { replaceIfSame } from './replace.ts'
import { setAside } from './set-aside.ts'

const isRoot = process.getuid?.() === 0
let root: string
const at = (name: string) => join(root, name)

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-files-')))
})
afterEach(() => rmSync(root, { recursive: true }))

function judge(path: string, hashed = true): Judged {
  const identity = identityOf(lstatSync(path, { bigint: true }))
  return { path, identity, sha256: hashed ? sha256(readFileSync(path)) : null }
}

function judgedFile(name: string, content: string): Judged {
  writeFileSync(at(name), content)
  return judge(at(name))
}

/** Bytes are written anew and the time is put back: only the change time and the content tell. */
function rewrite(path: string, content: string): void {
  const { atime, mtime } = statSync(path)
  writeFileSync(path, content)
  utimesSync(path, atime, mtime)
}

it('puts times back to the microsecond', () => {
  const { mode, uid, gid } = statSync(root)
  writeFileSync(at('a'), '')
  const fd = openSync(at('a'), 'r+')
  const startNs = 1_795_738_279_248_080_000n
  // each place within a microsecond, in many of them
  const times = Array.from({ length: 2_000 }, (_, step) => startNs + BigInt(step) * 1_000_123_457n)
  const kept = times.filter((mtimeNs) => {
    setAttributes(fd, { mode, uid, gid, mtimeNs })
    return fstatSync(fd, { bigint: true }).mtimeNs / 1_000n === mtimeNs / 1_000n
  })
  closeSync(fd)
  expect(kept).toEqual(times)
})

describe('replacing', () => {
  it('leaves the new content with the old mode and owner, and nothing else', async () => {
    const judged = judgedFile('a', 'old')
    chmodSync(at('a'), 0o640)
    if (isRoot) chownSync(at('a'), 1_234, 1_235)
    const now = await replaceIfSame(root, judge(at('a')), Buffer.from('new'))
    expect(readFileSync(at('a'), 'utf8')).toBe('new')
    expect(statSync(at('a'))).toMatchObject(isRoot ? { mode: 0o100640, uid: 1_234, gid: 1_235 } : { mode: 0o100640 })
    expect(now).toEqual(judge(at('a')).identity)
    expect(now.ino).not.toBe(judged.identity.ino)
    expect(readdirSync(root)).toEqual(['a'])
  })

  it('takes content in parts', async () => {
    async function* parts() {
      yield Buffer.from('one ')
      yield Buffer.from('two')
    }
    await replaceIfSame(root, judgedFile('a', 'old'), parts())
    expect(readFileSync(at('a'), 'utf8')).toBe('one two')
  })

  it.each([
    ['grew', () => appendFileSync(at('a'), 'more')],
    ['was written with its time put back', () => rewrite(at('a'), 'OLD')],
    ['was touched', () => utimesSync(at('a'), new Date(), new Date())],
    [
      'is another file of the same content',
      () => {
        writeFileSync(at('b'), 'old')
        renameSync(at('b'), at('a'))
      },
    ],
    ['is gone', () => rmSync(at('a'))],
  ])('refuses a file that %s, and leaves it', async (_, change) => {
    const judged = judgedFile('a', 'old')
    change()
    const before = readdirSync(root).map((name) => [name, readFileSync(at(name), 'utf8')])
    await expect(replaceIfSame(root, judged, Buffer.from('new'))).rejects.toMatchObject({ code: 'HOME_CHANGED' })
    expect(readdirSync(root).map((name) => [name, readFileSync(at(name), 'utf8')])).toEqual(before)
  })

  it('refuses content that is not the judged one where everything else is', async () => {
    const judged = { ...judgedFile('a', 'old'), sha256: sha256('OLD') }
    await expect(replaceIfSame(root, judged, Buffer.from('new'))).rejects.toMatchObject({ code: 'HOME_CHANGED' })
  })

  it('leaves the old one where the new content fails half-way', async () => {
    async function* parts() {
      yield Buffer.from('half')
      throw new Error('no more')
    }
    await expect(replaceIfSame(root, judgedFile('a', 'old'), parts())).rejects.toThrow('no more')
    expect(readdirSync(root)).toEqual(['a'])
    expect(readFileSync(at('a'), 'utf8')).toBe('old')
  })

  it('refuses a file with two names, a link, and what lies outside', async () => {
    const judged = judgedFile('a', 'old')
    linkSync(at('a'), at('b'))
    symlinkSync(at('a'), at('link'))
    mkdirSync(at('inner'))
    const replace = (within: string, path: string) =>
      replaceIfSame(within, { ...judged, path }, Buffer.from('new')).catch((error) => error.code)
    expect(await replace(root, at('a'))).toBe('HOME_UNSAFE')
    expect(await replace(root, at('link'))).toBe('HOME_UNSAFE')
    expect(await replace(at('inner'), at('a'))).toBe('HOME_UNSAFE')
    expect(readFileSync(at('b'), 'utf8')).toBe('old')
    expect(readdirSync(root)).toEqual(['a', 'b', 'inner', 'link'])
  })

  it.runIf(isRoot)("refuses another user's file (root only)", async () => {
    const judged = judgedFile('a', 'old')
    chmodSync(root, 0o777)
    await asNobody(async () => {
      await expect(replaceIfSame(root, judged, Buffer.from('new'))).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
      await expect(setAside(root, judged)).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
    })
    expect(readdirSync(root)).toEqual(['a'])
  })

  it.runIf(isRoot)('writes in place where the name is a mount of its own, as in a container (root only)', async () => {
    judgedFile('a', 'old and longer')
    writeFileSync(at('mounted'), '')
    execFileSync('mount', ['--bind', at('a'), at('mounted')])
    try {
      await replaceIfSame(root, judge(at('mounted')), Buffer.from('new'))
      expect(readFileSync(at('mounted'), 'utf8')).toBe('new')
    } finally {
      execFileSync('umount', [at('mounted')])
    }
    expect(readFileSync(at('a'), 'utf8')).toBe('new')
    expect(readdirSync(root)).toEqual(['a', 'mounted'])
  })

  it.runIf(isRoot)('says that the disk is full, and leaves the old one (root only)', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', root])
    try {
      const judged = judgedFile('a', 'old')
      const content = Buffer.alloc(100_000, 1)
      await expect(replaceIfSame(root, judged, content)).rejects.toMatchObject({ code: 'STORE_FULL' })
      await expect(createInside(root, at('b'), content)).rejects.toMatchObject({ code: 'STORE_FULL' })
      expect(readdirSync(root)).toEqual(['a'])
      expect(readFileSync(at('a'), 'utf8')).toBe('old')
    } finally {
      execFileSync('umount', [root])
    }
  })
})

describe('setting aside', () => {
  it('gives the file a name of its own beside it', async () => {
    const aside = await setAside(root, judgedFile('a.lock', 'mine'))
    expect(readdirSync(root)).toEqual([basename(aside?.path ?? '')])
    expect(aside?.name).toMatch(/^a\.lock\.holdfast-[0-9a-f]{8}\.aside$/)
    expect(readFileSync(aside?.path ?? '', 'utf8')).toBe('mine')
  })

  it('is nothing where nothing is', async () => {
    const judged = judgedFile('a', 'mine')
    rmSync(at('a'))
    expect(await setAside(root, judged)).toBeNull()
    expect(await setAside(root, { ...judged, path: at('absent/a') })).toBeNull()
  })

  it('leaves a file that is not the judged one under its name', async () => {
    const judged = judgedFile('a', 'mine')
    writeFileSync(at('b'), 'another')
    renameSync(at('b'), at('a'))
    await expect(setAside(root, judged)).rejects.toMatchObject({ code: 'HOME_CHANGED' })
    await expect(setAside(root, { ...judge(at('a')), sha256: sha256('mine') })).rejects.toMatchObject({
      code: 'HOME_CHANGED',
    })
    expect(readdirSync(root)).toEqual(['a'])
    expect(readFileSync(at('a'), 'utf8')).toBe('another')
  })

  it('finds a short name for a long one', async () => {
    const aside = await setAside(root, judgedFile('n'.repeat(255), 'mine'))
    expect(aside?.name).toMatch(/^\.holdfast-[0-9a-f]{8}\.aside$/)
  })

  it('refuses a file with two names, a directory and a pipe', async () => {
    const judged = judgedFile('a', 'mine')
    linkSync(at('a'), at('b'))
    mkdirSync(at('directory'))
    execFileSync('mkfifo', [at('pipe')])
    for (const name of ['a', 'directory', 'pipe'])
      await expect(setAside(root, { ...judged, path: at(name) })).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
    expect(readdirSync(root)).toEqual(['a', 'b', 'directory', 'pipe'])
  })
})

describe('creating', () => {
  it('makes a file for the owner only, with the owner of its directory', async () => {
    if (isRoot) chownSync(root, 1_234, 1_235)
    await createInside(root, at('a'), Buffer.from('new'))
    expect(statSync(at('a'))).toMatchObject(isRoot ? { mode: 0o100600, uid: 1_234, gid: 1_235 } : { mode: 0o100600 })
  })

  it('overwrites nothing and follows no link', async () => {
    writeFileSync(at('a'), 'old')
    symlinkSync(at('nothing'), at('link'))
    for (const name of ['a', 'link'])
      await expect(createInside(root, at(name), Buffer.from('new'))).rejects.toMatchObject({ code: 'FILE_EXISTS' })
    expect(readdirSync(root)).toEqual(['a', 'link'])
  })

  it('makes directories one by one, none through a link', () => {
    if (isRoot) chownSync(root, 1_234, 1_235)
    ensureDirectory(root, at('x/y'))[Symbol.dispose]()
    ensureDirectory(root, at('x/y'))[Symbol.dispose]()
    for (const name of ['x', 'x/y'])
      expect(statSync(at(name))).toMatchObject(isRoot ? { mode: 0o40700, uid: 1_234, gid: 1_235 } : { mode: 0o40700 })
    symlinkSync(tmpdir(), at('out'))
    expect(() => ensureDirectory(root, at('out/z'))).toThrow(/is a link/)
  })
})
