import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ArchiveFolder } from '../../src/archive/folder.ts'
import { type ManifestLine, manifestName } from '../../src/archive/manifest.ts'
import { openHoldfast } from '../../src/engine/holdfast.ts'
import { parseSessionKey } from '../../src/model/keys.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import type { OpenStore } from '../../src/store/port.ts'
import {
  dayMs,
  expectInOrder,
  expectSettled,
  exportsOf,
  fill,
  hourMs,
  newDirectory,
  openOn,
  sweep,
  talkIn,
} from './stage.ts'

const idle = { 'telegram:direct:1': 100, 'telegram:direct:2': 120, 'cron:job:run:1': 3, main: 0.1 }
const people = ['telegram:direct:1', 'telegram:direct:2'].map(parseSessionKey)
const [one, two] = people as [(typeof people)[0], (typeof people)[0]]

/** A store that was swept and closed, what it held of people, and the path of the manifest with it. */
let template: string
let before: Map<string, string>
let path: string

beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), 'holdfast-damage-'))
  await fill(template, async (scene) => {
    await talkIn(scene, idle)
  })
  const engine = await openHoldfast({ store: sqliteStore(template), run: null, archives: template })
  before = await exportsOf(engine.store, people)
  path = (await sweep(engine)).report.manifests[0] ?? ''
  await engine.close()
})
afterAll(() => rm(template, { recursive: true }))

async function swept() {
  const directory = join(await newDirectory(), 'data')
  await cp(template, directory, { recursive: true })
  const manifest = join(directory, path)
  return { directory, manifest, folder: join(manifest, '..') }
}

const contentOf = (folder: string) =>
  readdirSync(folder, { withFileTypes: true }).map((entry) =>
    [entry.name, entry.isFile() ? readFileSync(join(folder, entry.name)).toString('base64') : 'no file'].join(' '),
  )

const linesIn = (manifest: string) => readFileSync(manifest, 'utf8').split(/(?<=\n)/)

describe('nothing is deleted from a folder whose manifest', () => {
  it.each<[string, (manifest: string) => void]>([
    ['is gone', (manifest) => rmSync(manifest)],
    ['is empty', (manifest) => truncateSync(manifest)],
    ['has no whole line', (manifest) => truncateSync(manifest, 40)],
    [
      'is a link',
      (manifest) => {
        renameSync(manifest, `${manifest}.txt`)
        symlinkSync(`${manifest}.txt`, manifest)
      },
    ],
    [
      'is a FIFO',
      (manifest) => {
        rmSync(manifest)
        execFileSync('mkfifo', [manifest])
      },
    ],
    [
      'is a directory',
      (manifest) => {
        rmSync(manifest)
        mkdirSync(manifest)
      },
    ],
    ['is of another version', (manifest) => writeFileSync(manifest, '{"type":"sweep","version":2}\n')],
    ['ends in a line of another version', (manifest) => appendFileSync(manifest, '{"type":"sealed","atMs":1}\n')],
    ['has lost the lines that name its bundles', (manifest) => writeFileSync(manifest, linesIn(manifest)[0] ?? '')],
  ])('%s', async (_, damage) => {
    const { directory, folder, manifest } = await swept()
    damage(manifest)
    const found = contentOf(folder)
    const engine = await openOn(directory)
    await sweep(engine)
    await expect(engine.retention.undo(manifest)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
    await expect(engine.retention.deleteForever(two)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
    expect(contentOf(folder)).toEqual(found)
  })
})

it('what is planted beside archives stops nothing and stays', async () => {
  const { directory, manifest, folder } = await swept()
  mkdirSync(join(folder, '0009.jsonl.zst'))
  symlinkSync('/etc/passwd', join(folder, '0008.jsonl.zst'))
  execFileSync('mkfifo', [join(folder, '0007.jsonl.zst'), join(directory, 'trash', 'pipe')])
  const engine = await openOn(directory)
  await sweep(engine)
  expect((await engine.retention.undo(manifest)).restored).toHaveLength(2)
  expect(await exportsOf(engine.store, people)).toEqual(before)
  expect(readdirSync(folder).sort()).toEqual(['0007.jsonl.zst', '0008.jsonl.zst', '0009.jsonl.zst', manifestName])
})

it('a search goes on behind any byte that has changed', async () => {
  const { directory, folder } = await swept()
  const bundle = join(folder, '0001.jsonl.zst')
  const data = readFileSync(bundle)
  const engine = await openOn(directory)
  const { items } = await engine.store.listArchived({ limit: 9, key: one })
  const [from, to] = [items[0]?.offset ?? 0, (items[0]?.offset ?? 0) + (items[0]?.length ?? 0)]
  for (let at = from; at < to; at += 7) {
    const changed = Buffer.from(data)
    changed[at] = (changed[at] ?? 0) ^ 0x20
    writeFileSync(bundle, changed)
    const page = await engine.retention.search({ text: 'hello', limit: 9 }, new AbortController().signal)
    const others = page.items.filter(({ sessionKey }) => sessionKey !== one)
    expect(others.map(({ sessionKey }) => sessionKey).sort(), `byte ${at}`).toContain(two)
  }
  const page = engine.retention.search({ text: 'hello', limit: 9, after: 'null' }, new AbortController().signal)
  await expect(page).rejects.toMatchObject({ code: 'CURSOR_INVALID' })
})

it('a sweep in several folders of which one is damaged comes back wholly or not at all', async () => {
  const { directory, manifest, folder } = await swept()
  const [header = ''] = linesIn(manifest)
  const first = JSON.parse(header) as Extract<ManifestLine, { type: 'sweep' }>
  const name = first.folder.replace(/1$/, '0') // it is undone last
  await using another = await ArchiveFolder.create(directory, { ...first, folder: name })
  writeFileSync(another.manifestPath, `${header.replace(first.folder, name)}no line\n${header}`)
  const engine = await openOn(directory)
  const found = contentOf(folder)
  await expect(engine.retention.undo(name.slice(0, -2))).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  expect(await exportsOf(engine.store, people)).toEqual(new Map())
  expect(contentOf(folder)).toEqual(found)
})

it('a transcript of a folder that was moved half way comes back', async () => {
  const { directory, manifest, folder } = await swept()
  const move = { type: 'moving', atMs: Date.now(), place: 'trash', expiresAtMs: 9e15, because: 'age' }
  appendFileSync(manifest, `${JSON.stringify(move)}\n`)
  renameSync(folder, folder.replace('archives', 'trash'))
  const engine = await openOn(directory)
  const { items } = await engine.store.listArchived({ limit: 9, key: one })
  await engine.retention.restore(items[0]?.id ?? 0)
  expect(await exportsOf(engine.store, [one])).toEqual(new Map([[`${one} 1`, before.get(`${one} 1`)]]))
  await expectSettled(directory, engine.store)
  await expectInOrder(engine.store)
})

it('a transcript comes back also when its session begins anew in the middle of that', async () => {
  const directory = await newDirectory()
  await fill(directory, async (scene) => {
    scene.nowMs -= 200 * dayMs
    for (let at = 0; at < 8; at += 1) await scene.say(one, `${at} `.repeat(60_000), 'noted')
    scene.nowMs = Date.now() - 2 * hourMs
    await scene.say(parseSessionKey('main'), 'hello', 'hi')
  })
  const open: OpenStore = async (...given) => {
    const store = await sqliteStore(directory)(...given)
    const { putBack } = store
    store.putBack = async (input) => {
      await putBack(input)
      if (input.part === 0) await store.openSession({ key: one, atMs: Date.now() })
    }
    return store
  }
  const engine = await openOn(directory, {}, { store: open })
  const records = async () => (await exportsOf(engine.store, [one])).get(`${one} 1`)?.split('\n').slice(1)
  const found = await records()
  const { report } = await sweep(engine)
  expect(await engine.retention.undo(report.sweep)).toMatchObject({ restored: { length: 1 }, conflicts: [] })
  expect(await records()).toEqual(found)
  expect(await engine.store.readSession(one)).toMatchObject({ transcript: 2, head: 0 })
  await expectInOrder(engine.store)
})

describe('deleting for good', () => {
  it('covers a folder that somebody has removed', async () => {
    const { directory, folder } = await swept()
    rmSync(folder, { recursive: true })
    const engine = await openOn(directory)
    expect(await engine.retention.deleteForever(one)).toEqual({ session: false, archived: 1 })
    expect((await engine.store.listArchived({ limit: 9, key: one })).items).toEqual([])
  })
  it('covers what has come back in part', async () => {
    const { directory, manifest } = await swept()
    const engine = await openOn(directory)
    const { items } = await engine.store.listArchived({ limit: 9, key: one })
    const text = before.get(`${one} 1`) ?? ''
    const part = text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1)
    await engine.store.putBack({ id: items[0]?.id ?? 0, part: 0, text: part, last: false, atMs: Date.now() })
    await engine.retention.deleteForever(one)
    await expectInOrder(engine.store)
    expect((await engine.retention.undo(manifest)).restored).toHaveLength(1)
    await engine.close()
    expect(readFileSync(join(directory, 'holdfast.sqlite')).includes(`hello of telegram:direct:1`)).toBe(false)
  })
  it('that was stopped before its end is ended by the same command', async () => {
    const { directory } = await swept()
    const engine = await openOn(directory)
    const main = parseSessionKey('main')
    await engine.store.deleteSession({ key: main, atMs: Date.now() })
    while (await engine.store.purge({ rowsMax: 500 }));
    await expect(engine.retention.deleteForever(main)).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' })
    const files = ['holdfast.sqlite', 'holdfast.sqlite-wal'].map((name) => readFileSync(join(directory, name)))
    expect(files.map((file) => file.includes('hello of main'))).toEqual([false, false])
  })
})
