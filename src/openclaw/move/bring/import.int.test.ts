import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectSameAfterKills } from '../../../../test/openclaw/killing.ts'
import {
  contentOf,
  entriesOf,
  importInto,
  openStore,
  problemsIn,
  shownIn,
  wordsOf,
} from '../../../../test/openclaw/moving.ts'
import { expectedOf, Ground, unpackFixture } from '../../../../test/openclaw/unpack.ts'
import { parseSessionKey } from '../../../model/keys.ts'
import { textOf } from '../../../model/messages.ts'
import type { Store } from '../../../store/port.ts'
import { keyToOurs } from '../keys.ts'

let ground: Ground
let store: Store & AsyncDisposable
beforeEach(async () => {
  ground = new Ground()
  store = await openStore(join(ground.root, 'data'))
})
afterEach(async () => {
  await store.close()
  ground[Symbol.dispose]()
})

const sessions = (dir: string) => join(dir, 'agents/main/sessions')
const anna = parseSessionKey('agent:main:telegram:direct:40382952')

describe.each(['2026.5.18', '2026.9.6'] as const)('a home of %s', (version) => {
  /** What a chat is asked, without the words that only steer the model of the fixture. */
  const plain = (text: string) =>
    text
      .replaceAll(/\s*\[\[[^\]]*\]\]/g, '')
      .replaceAll(/\s+/g, ' ')
      .trim()

  it('is in the store as its users saw it, transcript by transcript, and is not changed by that', async () => {
    const { dir } = unpackFixture(version, ground.root)
    const before = treeOf(dir)
    const report = await importInto(store, dir)
    expect(report.totals).toMatchObject({ left: 0, mismatch: 0, unreadable: 0, linesLeftOut: 0 })
    expect(await problemsIn(store)).toEqual([])
    expect(treeOf(dir)).toBe(before)
    for (const [key, transcripts] of Object.entries(expectedOf(version))) {
      if (key.endsWith(':c0deleted')) continue
      const ours = keyToOurs(version === '2026.5.18' ? key.toLowerCase() : key, 'main')
      for (const [index, said] of transcripts.entries()) {
        const entries = await entriesOf(store, ours, index + 1)
        const texts = entries.filter(({ kind }) => kind === 'user').map(({ body }) => plain(textOf(body as never)))
        let at = -1
        for (const [asked, , wasAnswered] of said) {
          if (!wasAnswered) continue
          at = texts.findIndex((text, each) => each > at && text.includes(plain(asked)))
          expect(at, `${key}: ${asked}`).not.toBe(-1)
        }
      }
    }
    const content = await contentOf(store)
    const again = await importInto(store, dir)
    expect(again.totals).toMatchObject({ imported: 0, present: version === '2026.5.18' ? 21 : 19 })
    expect(await contentOf(store)).toEqual(content)
  })
})

it('ends the same however often it is killed', async () => {
  const { dir } = unpackFixture('2026.5.18', ground.root)
  await importInto(store, dir)
  await expectSameAfterKills(dir, join(ground.root, 'killed'), await contentOf(store), 2)
})

describe('what a model is shown of it', () => {
  it('is the conversation since the reset, each reply once, with what came before a summary left out', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    const { totals } = await importInto(store, dir)
    expect(totals).toMatchObject({ duplicates: 11, summaries: 2 })
    const shown = await shownIn(store, anna)
    expect(shown).toHaveLength(46)
    expect(textOf(shown[0] as never)).toContain('Nr. 9')
    const work = parseSessionKey('agent:work:main')
    const context = await store.readContext({ key: work, tokensMax: 1e9, bytesMax: 1e9 })
    expect(context.summary?.text).toContain('Fixture summary')
    expect(wordsOf(context.entries).slice(0, 2)).toEqual([
      expect.stringContaining('ack 2: grow 1'), // its summary ends before this reply
      expect.stringContaining('after the growth 1'),
    ])
    const replies = wordsOf(context.entries).filter((words) => words.startsWith('ack'))
    expect(new Set(replies).size).toBe(replies.length)
  })

  it('are the rows that the gateway itself calls its active ones', async () => {
    const { dir } = unpackFixture('2026.9.6', ground.root)
    await importInto(store, dir)
    const db = new DatabaseSync(join(dir, 'agents/main/agent/openclaw-agent.sqlite'))
    const active = db
      .prepare(
        `SELECT n.session_key AS key, e.event_json AS json FROM session_transcript_active_events a
         JOIN session_nodes n ON n.current_session_id = a.session_id
         JOIN transcript_events e ON e.session_id = a.session_id AND e.seq = a.event_seq
         WHERE a.message_position IS NOT NULL ORDER BY n.session_key, a.active_position`,
      )
      .all() as { key: string; json: string }[]
    db.close()
    for (const key of new Set(active.map((row) => row.key))) {
      const rows = active.filter((row) => row.key === key).map(({ json }) => JSON.parse(json))
      const afterReset = rows.slice(rows.findLastIndex(({ type }) => type === 'reset') + 1)
      const shown = await shownIn(store, keyToOurs(key, 'main'))
      const current = afterReset.filter(({ message }) => message !== undefined).slice(-shown.length)
      expect(shown.map(({ role }) => role)).toEqual(
        current.map(({ message }) => (message.role === 'toolResult' ? 'tool' : message.role)),
      )
    }
  })
})

describe('what cannot be read', () => {
  it('is carried along line by line, and the rest is there', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    const file = join(sessions(dir), 'fecdf4bf-dd53-4b91-867d-fcd3810190eb.jsonl')
    const lines = readFileSync(file, 'utf8').split('\n')
    const damaged = [
      ...lines.slice(0, 10),
      'no json',
      '\u0000\u0000',
      '',
      `${lines[10]}${lines[11]}`,
      ...lines.slice(12, 20),
      (lines[20] ?? '').slice(0, 40),
    ]
    writeFileSync(file, Buffer.concat([Buffer.from(damaged.join('\n')), Buffer.from([0xff, 0xfe])]))
    const { sessions: reports } = await importInto(store, dir)
    const report = reports.find(({ as }) => as.endsWith(':1506258704541159484'))
    expect(report).toMatchObject({ state: 'imported', transcripts: [{ lines: 23, unreadable: 3 }] })
    const key = parseSessionKey(report?.as ?? '')
    const entries = await entriesOf(store, key, 1)
    expect(entries.filter(({ kind }) => kind !== 'event')).toHaveLength(16)
    expect(await problemsIn(store)).toEqual([])
  })

  it('keeps nothing else back: an index, an agent, a transcript', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    writeFileSync(join(dir, 'agents', 'work', 'sessions', 'sessions.json'), '{"torn')
    const { totals, leftOut } = await importInto(store, dir)
    expect(totals).toMatchObject({ imported: 17 })
    expect(leftOut).toContainEqual({
      what: 'agent',
      name: 'work',
      because: expect.stringContaining('index of the sessions is not readable'),
    })
  })

  it('is told of an entry whose transcript is gone, and the entry is kept', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    renameSync(join(sessions(dir), 'cc96ce0c-3ece-4f9d-b72c-a7922f54a265.jsonl'), join(dir, 'elsewhere'))
    const { sessions: reports } = await importInto(store, dir)
    expect(reports.find(({ key }) => key === 'agent:main:main')).toMatchObject({
      state: 'imported',
      because: 'its transcript cc96ce0c-3ece-4f9d-b72c-a7922f54a265.jsonl is not there',
    })
    expect((await importInto(store, dir)).totals).toMatchObject({ present: 21 })
  })

  it('is, with `deleted`, what its user has deleted', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    const { sessions: reports } = await importInto(store, dir, { deleted: true })
    expect(reports.find(({ key }) => key === null)).toMatchObject({
      state: 'imported',
      as: 'agent:main:unbound:14053f6f-6d6f-4684-a331-3544e4d685ea',
    })
  })
})

function treeOf(dir: string): string {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const lines = files.map(({ parentPath, name }) => {
    const path = join(parentPath, name)
    return `${path} ${statSync(path, { bigint: true }).mtimeNs} ${readFileSync(path).toString('base64')}`
  })
  return lines.sort().join('\n')
}
