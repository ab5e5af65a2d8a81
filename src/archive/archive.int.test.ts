import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseSessionKey } from '../model/keys.ts'
import { BundleWriter, type Frame } from './bundle.ts'
import { ArchiveFolder, listFolders, removeFolder } from './folder.ts'
import { readFrame, verifyFrame } from './frames.ts'
import { isSettled, type ManifestItem, type ManifestLine, manifestName } from './manifest.ts'
import { Shelves } from './shelves.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-archive-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const name = '20261121T040000Z-1a2b3c4d-1'
const header: Extract<ManifestLine, { type: 'sweep' }> = {
  type: 'sweep',
  format: 'holdfast-manifest',
  version: 1,
  folder: name,
  place: 'archives',
  atMs: 1_000,
  expiresAtMs: null,
  policy: {},
}
const key = (text: string) => parseSessionKey(text)
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
/** Lines that do not shrink to nothing. */
const linesOf = (seed: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${JSON.stringify({ at, text: sha256(`${seed}${at}`) })}\n`).join('')

function itemOf(text: string, frame: Frame): ManifestItem {
  const times = { firstAtMs: 1, lastAtMs: 2 }
  return { key: key(text), kind: 'other', transcript: 1, whole: true, ...frame, entries: 1, ...times, because: 'idle' }
}

/** A folder with one bundle that holds a frame for each text, announced and taken. */
async function filled(texts: Record<string, string>): Promise<ArchiveFolder> {
  const folder = await ArchiveFolder.create(root, header)
  const file = folder.nextFile()
  await using writer = await BundleWriter.create(folder.path, file)
  const items: ManifestItem[] = []
  for (const [who, text] of Object.entries(texts)) {
    const frame = writer.begin()
    await frame.add(text)
    items.push(itemOf(who, await frame.end()))
  }
  const done = await writer.finish()
  await folder.append({ type: 'bundle', atMs: 2_000, file, ...done, replaces: null, items })
  await folder.append({ type: 'taken', atMs: 2_001, file, count: items.length, stayed: [] })
  return folder
}

async function textOf(path: string, frame: Frame): Promise<string[]> {
  const parts: string[] = []
  for await (const part of readFrame(path, frame)) parts.push(part)
  return parts
}

describe('a bundle', () => {
  it('gives each transcript back to the byte, alone or with all others', async () => {
    const texts = { a: linesOf('a', 3), b: linesOf('b', 2_000), c: '{"text":"čau 🙂"}\n' }
    await using folder = await filled(texts)
    const bundle = folder.state.bundles.get('0001.jsonl.zst')
    const path = folder.pathOf('0001.jsonl.zst')
    for (const item of bundle?.items ?? []) {
      const text = texts[item.key.at(-1) as keyof typeof texts]
      expect((await textOf(path, item)).join('')).toBe(text)
      expect(item.sha256).toBe(sha256(text))
      const packed = readFileSync(path).subarray(item.offset, item.offset + item.length)
      expect(zstdDecompressSync(packed).toString()).toBe(text)
    }
    expect(framesOf(path, bundle?.items ?? [])).toBe(Object.values(texts).join(''))
    expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(bundle?.sha256)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(folder.path).mode & 0o777).toBe(0o700)
  })
  it('takes a long transcript in parts, as one frame, and gives whole lines back', async () => {
    await using folder = await ArchiveFolder.create(root, header)
    const parts = Array.from({ length: 12 }, (_, at) => linesOf(`part ${at}`, 2_000))
    await using writer = await BundleWriter.create(folder.path, '0001.jsonl.zst')
    const frame = writer.begin()
    for (const part of parts) await frame.add(part)
    const found = await frame.end()
    await writer.finish()
    const back = await textOf(folder.pathOf('0001.jsonl.zst'), found)
    expect(back.length).toBeGreaterThan(1)
    expect(back.every((part) => part.endsWith('\n'))).toBe(true)
    expect(back.join('') === parts.join('')).toBe(true)
  })
  it('holds nothing of a transcript that was left half way', async () => {
    await using folder = await ArchiveFolder.create(root, header)
    const { bytes } = await (async () => {
      await using writer = await BundleWriter.create(folder.path, '0001.jsonl.zst')
      const left = writer.begin()
      for (let at = 0; at < 4; at += 1) await left.add(linesOf(`left ${at}`, 4_000))
      left.cancel()
      const kept = writer.begin()
      await kept.add(linesOf('kept', 1))
      await kept.end()
      return await writer.finish()
    })()
    const path = folder.pathOf('0001.jsonl.zst')
    expect(statSync(path).size).toBe(bytes)
    expect(zstdDecompressSync(readFileSync(path)).toString()).toBe(linesOf('kept', 1))
  })
  it('that was not finished leaves no file', async () => {
    await using folder = await ArchiveFolder.create(root, header)
    {
      await using writer = await BundleWriter.create(folder.path, '0001.jsonl.zst')
      await writer.begin().add('x\n')
    }
    expect(readdirSync(folder.path)).toEqual([manifestName])
  })
  it.each([
    ['one byte is another', (path: string, at: number) => flip(path, at)],
    ['its end is missing', (path: string, at: number) => writeFileSync(path, readFileSync(path).subarray(0, at))],
    ['it is gone', (path: string) => rmSync(path)],
    ['a link is in its place', (path: string) => replaceByLink(path)],
  ])('is called damaged when %s', async (_, harm) => {
    await using folder = await filled({ a: linesOf('a', 100) })
    const [item] = folder.state.bundles.get('0001.jsonl.zst')?.items ?? []
    const path = folder.pathOf('0001.jsonl.zst')
    await verifyFrame(path, item as Frame)
    harm(path, 200)
    await expect(verifyFrame(path, item as Frame)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  })
  it('can be written anew without one transcript, whose bytes are then nowhere', async () => {
    const texts = { a: linesOf('a', 50), b: linesOf('b', 50), c: linesOf('c', 50) }
    await using folder = await filled(texts)
    const bundle = folder.state.bundles.get('0001.jsonl.zst')
    if (bundle === undefined) throw new Error('no bundle')
    const keep = bundle.items.filter((item) => item.key !== key('b'))
    const line = await folder.copyFrames(bundle, keep)
    await folder.append(line)
    expect(isSettled(folder.state)).toBe(false)
    await folder.removeBundle('0001.jsonl.zst')
    await folder.append({ type: 'dropped', atMs: 3_000, file: '0001.jsonl.zst' })
    expect(isSettled(folder.state)).toBe(true)
    expect(readdirSync(folder.path).sort()).toEqual(['0002.jsonl.zst', manifestName])
    expect(framesOf(folder.pathOf('0002.jsonl.zst'), line.items)).toBe(texts.a + texts.c)
    for (const item of line.items) await verifyFrame(folder.pathOf('0002.jsonl.zst'), item)
  })
})

const replaceByLink = (path: string) => {
  rmSync(path)
  symlinkSync('/etc/hostname', path)
}

/** The text of the whole file, as `zstd -d` reads it: frame after frame, with nothing between them. */
function framesOf(path: string, items: readonly Frame[]): string {
  const data = readFileSync(path)
  let end = 0
  const texts = items.map(({ offset, length }) => {
    expect(offset).toBe(end)
    end = offset + length
    return zstdDecompressSync(data.subarray(offset, end)).toString()
  })
  expect(end).toBe(data.length)
  return texts.join('')
}

const flip = (path: string, at: number) => {
  const data = readFileSync(path)
  data[at] = (data[at] as number) ^ 1
  writeFileSync(path, data)
}

describe('a manifest', () => {
  const open = () => ArchiveFolder.open(root, { place: 'archives', folder: name })

  it('is the same after it is read again', async () => {
    await using folder = await filled({ a: 'a\n', b: 'b\n' })
    await using again = await open()
    expect(again?.state).toEqual(folder.state)
    expect(again?.bytes).toBe(folder.bytes)
  })
  it.each([
    '{"type":"dropped","atMs":1',
    '{"type":"dropped","atMs":1,"file":"0001.jsonl.zst"}',
    '\0\0\0\0\n',
    '{"type":"drop\n',
  ])('is cut back where its last line is torn: %j', async (torn) => {
    await using folder = await filled({ a: 'a\n' })
    await folder[Symbol.asyncDispose]()
    const whole = readFileSync(folder.manifestPath, 'utf8')
    appendFileSync(folder.manifestPath, torn)
    await using again = await open()
    expect(again?.state).toEqual(folder.state)
    await again?.append({ type: 'deleting', atMs: 3, because: 'x' })
    expect(readFileSync(folder.manifestPath, 'utf8')).toBe(`${whole}{"type":"deleting","atMs":3,"because":"x"}\n`)
  })
  it('with a bad line in the middle is damaged, and nothing is changed', async () => {
    await using folder = await filled({ a: 'a\n' })
    const text = readFileSync(folder.manifestPath, 'utf8').replace('"bundle"', '"bungle"')
    writeFileSync(folder.manifestPath, text)
    await expect(open()).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
    const shelves = new Shelves(root)
    expect(await shelves.read()).toEqual([])
    expect([...shelves.damaged]).toEqual([`archives/${name}`])
    expect(readFileSync(folder.manifestPath, 'utf8')).toBe(text)
  })
  it('that names another folder, or a file outside, is not believed', async () => {
    await using folder = await filled({ a: 'a\n' })
    const text = readFileSync(folder.manifestPath, 'utf8')
    writeFileSync(folder.manifestPath, text.replaceAll('0001.jsonl.zst', '../../0001.jsonl.zst'))
    await expect(open()).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
    writeFileSync(folder.manifestPath, text.replace('1a2b3c4d-1', '1a2b3c4d-2'))
    await expect(open()).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  })
  it('forgets a session that is deleted for good, key and all', async () => {
    await using folder = await filled({ alice: 'a\n', bob: 'b\n' })
    const bundle = folder.state.bundles.get('0001.jsonl.zst')
    if (bundle === undefined) throw new Error('no bundle')
    await folder.append(
      await folder.copyFrames(
        bundle,
        bundle.items.filter((item) => item.key === key('bob')),
      ),
    )
    await folder.removeBundle('0001.jsonl.zst')
    await folder.append({ type: 'dropped', atMs: 3_000, file: '0001.jsonl.zst' })
    expect(folder.names(key('alice'))).toBe(true)
    await folder.forget(key('alice'))
    expect(readFileSync(folder.manifestPath, 'utf8')).not.toContain('alice')
    await folder.append({ type: 'moving', atMs: 4_000, place: 'trash', expiresAtMs: 5_000, because: 'age' })
    await using again = await open()
    expect(again?.state).toEqual(folder.state)
    expect(again?.items).toBe(1)
  })
})

describe('a folder', () => {
  it('loses what no line names, and keeps what is not ours', async () => {
    await using folder = await filled({ a: 'a\n' })
    for (const stray of ['0007.jsonl.zst', '0002.jsonl.zst.new', 'notes.txt'])
      writeFileSync(join(folder.path, stray), 'x')
    await folder.removeStrays(await folder.strays())
    expect(readdirSync(folder.path).sort()).toEqual(['0001.jsonl.zst', manifestName, 'notes.txt'])
  })
  it('moves as a whole and is found by any of its names', async () => {
    await using folder = await filled({ a: 'a\n' })
    await folder.append({ type: 'moving', atMs: 3_000, place: 'trash', expiresAtMs: 9_000, because: 'age' })
    await folder.moveTo('trash')
    await folder.append({ type: 'moved', atMs: 4_000, place: 'trash' })
    const shelves = new Shelves(root)
    expect(await shelves.read()).toMatchObject([{ place: 'trash', sinceMs: 4_000, expiresAtMs: 9_000, transcripts: 1 }])
    const found = [{ place: 'trash', folder: name }]
    for (const text of [name, '20261121T040000Z-1a2b3c4d', `/x/trash/${name}/`, join(folder.path, manifestName)]) {
      expect(await shelves.find(text)).toEqual(found)
    }
    for (const text of ['', '..', '20261121T040000Z', '/etc/passwd', `${name}-1`]) {
      await expect(shelves.find(text)).rejects.toMatchObject({ code: 'ARCHIVE_NOT_FOUND' })
    }
  })
  it('whose making was interrupted is nothing', async () => {
    await using folder = await ArchiveFolder.create(root, header)
    writeFileSync(folder.manifestPath, '{"type":"swe')
    expect(await ArchiveFolder.open(root, { place: 'archives', folder: name })).toBeNull()
    await removeFolder(root, { place: 'archives', folder: name })
    expect(existsSync(folder.path)).toBe(false)
  })
  it('that is a link is not followed', async () => {
    await using folder = await filled({ a: 'a\n' })
    symlinkSync(folder.path, join(root, 'archives', name.replace('-1', '-2')))
    expect(await listFolders(root)).toEqual([{ place: 'archives', folder: name }])
  })
  it('that cannot be written to says so, and is as it was', async () => {
    await using folder = await filled({ a: 'a\n' })
    const before = readFileSync(folder.manifestPath, 'utf8')
    await folder[Symbol.asyncDispose]()
    rmSync(folder.manifestPath)
    symlinkSync('/dev/null', folder.manifestPath)
    await expect(folder.append({ type: 'deleting', atMs: 1, because: '' })).rejects.toMatchObject({
      code: expect.stringMatching(/^(STORE_IO|ARCHIVE_DAMAGED)$/),
    })
    rmSync(folder.manifestPath)
    writeFileSync(folder.manifestPath, before)
    chmodSync(folder.manifestPath, 0o600)
    await using again = await ArchiveFolder.open(root, { place: 'archives', folder: name })
    expect(again?.items).toBe(1)
  })
})
