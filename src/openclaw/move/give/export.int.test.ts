import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { damageTranscripts, transcriptsIn } from '../../../../test/openclaw/hurt.ts'
import { runKilledAndAgain } from '../../../../test/openclaw/killing.ts'
import {
  contentOf,
  entriesOf,
  exportTo,
  importInto,
  openStore,
  shownIn,
  wordsOf,
} from '../../../../test/openclaw/moving.ts'
import { Seeded } from '../../../../test/openclaw/seeded.ts'
import { Ground, unpackFixture } from '../../../../test/openclaw/unpack.ts'
import { parseSessionKey } from '../../../model/keys.ts'
import type { Store } from '../../../store/port.ts'
import { Scene } from '../../../testing/contract/scene.ts'

let ground: Ground
let store: Store & AsyncDisposable
let to: string
beforeEach(async () => {
  ground = new Ground()
  to = join(ground.root, 'exported')
  store = await openStore(join(ground.root, 'data'))
})
afterEach(async () => {
  await store.close()
  ground[Symbol.dispose]()
})

const folderOf = (dir: string, agent: string) => join(dir, 'agents', agent, 'sessions')
const indexIn = (dir: string, agent: string) =>
  JSON.parse(readFileSync(join(folderOf(dir, agent), 'sessions.json'), 'utf8'))

describe('a home of files', () => {
  it('comes out as it came in: every transcript to the byte, every entry of its index', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    await importInto(store, dir)
    const { totals } = await exportTo(store, to)
    expect(totals).toMatchObject({ exported: 21, left: 0, ownEntries: 0, files: 26 })
    for (const agent of ['main', 'work']) {
      const names = transcriptsIn(folderOf(dir, agent))
      expect(transcriptsIn(folderOf(to, agent)).sort()).toEqual(names.sort())
      for (const name of names) {
        expect(
          readFileSync(join(folderOf(to, agent), name)).equals(readFileSync(join(folderOf(dir, agent), name))),
        ).toBe(true)
      }
      const [given, had] = [indexIn(to, agent), indexIn(dir, agent)]
      for (const [key, entry] of Object.entries<{ sessionFile: string }>(had)) {
        const sessionFile = join(folderOf(to, agent), basename(entry.sessionFile))
        expect(given[key]).toEqual({ ...entry, sessionFile })
      }
      expect(Object.keys(given).sort()).toEqual(Object.keys(had).sort())
    }
  })

  it('comes out to the byte however damaged it is', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    const seed = Number(process.env.HOLDFAST_SEED ?? 3)
    const chance = new Seeded(seed)
    const folder = folderOf(dir, 'main')
    damageTranscripts(folder, chance)
    const { totals } = await importInto(store, dir)
    expect(totals, `seed ${seed}`).toMatchObject({ mismatch: 0, left: 0 })
    await exportTo(store, to)
    for (const name of transcriptsIn(folder)) {
      const [given, had] = [readFileSync(join(folderOf(to, 'main'), name)), readFileSync(join(folder, name))]
      expect(given.equals(had), `${name}, seed ${seed}`).toBe(true)
    }
  })

  it('comes out the same however often it is killed on the way', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    await importInto(store, dir)
    await exportTo(store, to)
    await store.close()
    const again = join(ground.root, 'again')
    await runKilledAndAgain('export-home', join(ground.root, 'data'), again, 4)
    const text = (root: string) => treeOf(root).map((line) => line.replaceAll(root, '~'))
    expect(text(again)).toEqual(text(to))
  })

  it('is the same conversation when it is imported from there, whatever times its files have', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    await importInto(store, dir)
    await exportTo(store, to)
    cpSync(join(dir, 'cron'), join(to, 'cron'), { recursive: true }) // says whose the earlier runs of a job were
    for (const name of transcriptsIn(folderOf(to, 'main'))) {
      const { mtimeMs } = statSync(join(folderOf(dir, 'main'), name))
      utimesSync(join(folderOf(to, 'main'), name), 0, 4e9 - mtimeMs / 1_000) // what was written last is the oldest
    }
    await using other = await openStore(join(ground.root, 'other'))
    await importInto(other, to)
    const [one, two] = [await contentOf(store), await contentOf(other)]
    const plain = (text = '') => text.replaceAll(/"entry":"(?:[^"\\]|\\.)*"/g, '')
    for (const [key, text] of one) expect(plain(two.get(key)), key).toBe(plain(text))
  })
})

it('a home of SQLite comes out as one of files, a file for each time that it began anew', async () => {
  const { dir } = unpackFixture('2026.9.6', ground.root)
  await importInto(store, dir)
  const { totals } = await exportTo(store, to)
  expect(totals).toMatchObject({ exported: 19, left: 0 })
  const folder = folderOf(to, 'main')
  for (const name of transcriptsIn(folder)) {
    const rows = readFileSync(join(folder, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows[0]).toMatchObject({ type: 'session', version: 3 })
    expect(name).toContain(rows[0].id)
    const ids = new Set(rows.map(({ id }) => id))
    expect(rows.slice(1).filter(({ parentId }) => parentId !== null && !ids.has(parentId))).toEqual([])
  }
  await using other = await openStore(join(ground.root, 'other'))
  expect((await importInto(other, to)).totals).toMatchObject({ imported: 19, left: 0 })
  for (const { key } of (await store.listSessions({ limit: 99 })).items) {
    expect(await shownIn(other, key)).toEqual(await shownIn(store, key))
  }
})

describe('what was said here', () => {
  const anna = parseSessionKey('agent:main:telegram:direct:40382952')

  async function talk(key = anna): Promise<Scene> {
    await store.close()
    const scene = await Scene.open({
      openStore: async () => await openStore(join(ground.root, 'data')),
      backupDirectory: join(ground.root, 'copy'),
      dispose: async () => {},
    })
    await scene.say(key, 'said here', 'and answered')
    return scene
  }

  it('follows what was there, as rows of the gateway, and is the same when it is imported again', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    await importInto(store, dir)
    const scene = await talk()
    const { totals } = await exportTo(scene.store, to)
    expect(totals).toMatchObject({ exported: 21, ownEntries: 2 })
    const name = 'fff5c19b-36f0-4313-afc4-40b06c78f795.jsonl'
    const [given, had] = [folderOf(to, 'main'), folderOf(dir, 'main')].map((folder) =>
      readFileSync(join(folder, name), 'utf8'),
    ) as [string, string]
    expect(given.startsWith(had)).toBe(true)
    const last = JSON.parse(had.trimEnd().split('\n').at(-1) ?? '')
    const [asked, answered] = given
      .slice(had.length)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(asked).toMatchObject({ type: 'message', parentId: last.id, message: { role: 'user' } })
    expect(answered).toMatchObject({
      type: 'message',
      parentId: asked.id,
      message: { role: 'assistant', stopReason: 'stop' },
    })
    expect(indexIn(to, 'main')[anna]).toMatchObject({ status: 'done', updatedAt: scene.nowMs, chatType: 'direct' })
    await using other = await openStore(join(ground.root, 'other'))
    await importInto(other, to)
    expect(await shownIn(other, anna)).toEqual(await shownIn(scene.store, anna))
    await scene.store.close()
  })

  it('goes along with a reset, a summary, and events', async () => {
    const key = parseSessionKey('agent:main:direct:new')
    const scene = await talk(key)
    await scene.store.resetSession({ key, reason: 'new', atMs: scene.nowMs + 5 })
    await scene.say(key, 'one '.repeat(50), 'two '.repeat(50))
    await scene.say(key, 'three', 'four')
    const summary = {
      key,
      transcript: 2,
      baseId: null,
      uptoSeq: 3,
      kind: 'model' as const,
      text: 'they counted',
      tokens: 3,
    }
    await scene.store.commitSummary({ ...summary, atMs: scene.nowMs })
    await exportTo(scene.store, to)
    await using other = await openStore(join(ground.root, 'other'))
    expect((await importInto(other, to)).totals).toMatchObject({ imported: 1, summaries: 1, left: 0 })
    const context = await other.readContext({ key, tokensMax: 1e9, bytesMax: 1e9 })
    expect(context.summary?.text).toBe('they counted')
    expect(wordsOf(context.entries)).toEqual(['three', 'four'])
    expect(wordsOf(await entriesOf(other, key, 1)).filter((words) => !words.startsWith('('))).toEqual([
      'said here',
      'and answered',
    ])
    await scene.store.close()
  })
})

describe('an export that was broken off', () => {
  it('goes on where it was, and writes over nothing', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    await importInto(store, dir)
    await exportTo(store, to)
    const folder = folderOf(to, 'main')
    const [gone, other] = transcriptsIn(folder) as [string, string]
    rmSync(join(folder, gone))
    rmSync(join(folder, 'sessions.json'))
    writeFileSync(join(folder, `${gone}.holdfast-export.new`), 'half of')
    expect((await exportTo(store, to)).totals).toMatchObject({ exported: 1, present: 20, left: 0 })
    expect(readdirSync(folder).filter((name) => name.includes('holdfast-export'))).toEqual([])
    truncateSync(join(folder, other), 10)
    const { sessions } = await exportTo(store, to).catch((error) => ({ sessions: error }))
    expect(sessions).toMatchObject({ code: 'FILE_EXISTS' }) // the index would have no place for that session
    expect(readFileSync(join(folder, other))).toHaveLength(10)
  })

  it('leaves another home alone', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    await importInto(store, dir)
    mkdirSync(folderOf(to, 'main'), { recursive: true })
    copyFileSync(join(folderOf(dir, 'work'), 'sessions.json'), join(folderOf(to, 'main'), 'sessions.json'))
    await expect(exportTo(store, to)).rejects.toMatchObject({ code: 'FILE_EXISTS' })
  })
})

/** Each file and what is in it. */
function treeOf(root: string): string[] {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map(({ parentPath, name }) => `${join(parentPath, name)} ${readFileSync(join(parentPath, name))}`).sort()
}
