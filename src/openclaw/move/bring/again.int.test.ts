import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  contentOf,
  entriesOf,
  importInto,
  openStore,
  problemsIn,
  shownIn,
  wordsOf,
} from '../../../../test/openclaw/moving.ts'
import { Ground, unpackFixture } from '../../../../test/openclaw/unpack.ts'
import { parseSessionKey } from '../../../model/keys.ts'
import { textOf } from '../../../model/messages.ts'
import type { Store } from '../../../store/port.ts'
import type { SessionReport } from './report.ts'

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
const annas = 'fff5c19b-36f0-4313-afc4-40b06c78f795.jsonl'
const reset = parseSessionKey('agent:main:discord:channel:1555555555555555555')
const stateOf = (reports: SessionReport[], key: string) => reports.find(({ as }) => as === key)

describe('a home that has gone on since', () => {
  const row = (id: string, parentId: string, content: string) =>
    `${JSON.stringify({ type: 'message', id, parentId, timestamp: '2026-11-22T00:00:00.000Z', message: { role: 'user', content } })}\n`

  it('takes the place of what was imported, as long as nobody has used that here', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    await importInto(store, dir)
    const file = join(sessions(dir), annas)
    const last = JSON.parse(readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '')
    appendFileSync(file, row('0123abcd', last.id, 'and another'))
    expect((await importInto(store, dir, { dryRun: true })).totals).toMatchObject({ renewed: 1, present: 20 })
    expect((await importInto(store, dir)).totals).toMatchObject({ renewed: 1, present: 20 })
    expect(textOf((await shownIn(store, anna)).at(-1) as never)).toBe('and another')
    const { transcript } = (await store.readSession(anna)) as { transcript: number }
    expect(wordsOf(await entriesOf(store, anna, transcript - 1))).toContainEqual(expect.stringContaining('Nr. 8'))
    expect((await importInto(store, dir)).totals).toMatchObject({ present: 21 })
    expect(await problemsIn(store)).toEqual([])
  })

  it('is found again by its id after a reset', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    await importInto(store, dir)
    const folder = sessions(dir)
    const old = 'fcf0ff16-f3b1-463a-92d3-080ae79c18dc.jsonl'
    const text = readFileSync(join(folder, old), 'utf8')
    renameSync(join(folder, old), join(folder, `${old}.reset.2026-11-22T00-00-00.000Z`))
    const fresh = 'aaaaaaaa-f3b1-463a-92d3-080ae79c18dc'
    writeFileSync(
      join(folder, `${fresh}.jsonl`),
      text.replaceAll('fcf0ff16', 'aaaaaaaa').replaceAll('"id":"', '"id":"b'),
    )
    const index = join(folder, 'sessions.json')
    const entries = JSON.parse(readFileSync(index, 'utf8'))
    const began = Date.parse('2026-11-22T00:00:00.000Z')
    const entry = {
      ...entries[reset],
      sessionId: fresh,
      sessionFile: join(folder, `${fresh}.jsonl`),
      sessionStartedAt: began,
    }
    writeFileSync(index, JSON.stringify({ ...entries, [reset]: entry }))
    const { sessions: reports } = await importInto(store, dir)
    expect(reports.find(({ as }) => as === reset)).toMatchObject({
      state: 'renewed',
      transcripts: [{ number: 3 }, { number: 4 }, { number: 5 }],
    })
  })

  it('is left where the session has gone on here', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    await importInto(store, dir)
    await store.addEvent({ key: anna, code: 'NOTE', text: 'somebody was here', atMs: 1 })
    const file = join(sessions(dir), annas)
    appendFileSync(file, row('0123abcd', 'x', 'and another'))
    const before = await contentOf(store)
    const { sessions: reports } = await importInto(store, dir)
    expect(reports.find(({ as }) => as === anna)).toMatchObject({
      state: 'left',
      because: expect.stringContaining('gone on here'),
    })
    expect(await contentOf(store)).toEqual(before)
  })

  it('is left where another conversation has its key, and comes after a deletion', async () => {
    await store.openSession({ key: anna, atMs: 5 })
    const { dir } = unpackFixture('2026.5.18', ground.root)
    expect((await importInto(store, dir)).totals).toMatchObject({ imported: 20, left: 1 })
    await store.deleteSession({ key: anna, atMs: 6 })
    expect((await importInto(store, dir)).totals).toMatchObject({ imported: 1, present: 20 })
    expect(await shownIn(store, anna)).toHaveLength(46)
  })

  it('takes the place of an entry that had no transcript yet', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    const file = join(sessions(dir), annas)
    const text = readFileSync(file, 'utf8')
    rmSync(file)
    const { sessions: first } = await importInto(store, dir)
    expect(stateOf(first, anna)).toMatchObject({ because: `its transcript ${annas} is not there` })
    writeFileSync(file, text)
    const { sessions: then } = await importInto(store, dir)
    expect(stateOf(then, anna)).toMatchObject({ state: 'renewed', because: null })
    expect(await shownIn(store, anna)).toHaveLength(46)
    expect((await importInto(store, dir)).totals).toMatchObject({ present: 21 })
  })

  it('begins anew here too, where its gateway has put the transcript away and nothing was said since', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    await importInto(store, dir)
    renameSync(join(sessions(dir), annas), join(sessions(dir), `${annas}.reset.2026-11-22T00-00-00.000Z`))
    const { sessions: then, totals } = await importInto(store, dir)
    expect(stateOf(then, anna)).toMatchObject({ state: 'renewed' })
    expect(totals).toMatchObject({ renewed: 1, present: 20 })
    expect(await shownIn(store, anna)).toEqual([])
    const { transcript } = (await store.readSession(anna)) as { transcript: number }
    expect(wordsOf(await entriesOf(store, anna, transcript - 1))).toContainEqual(expect.stringContaining('Nr. 9'))
    expect((await importInto(store, dir)).totals).toMatchObject({ present: 21 })
    expect(await problemsIn(store)).toEqual([])
  })

  it('is left where it has not kept all that was imported', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    const { sessions: first } = await importInto(store, dir)
    const [earlier] = stateOf(first, anna)?.transcripts ?? []
    rmSync(join(sessions(dir), earlier?.source ?? ''))
    expect((await importInto(store, dir)).totals).toMatchObject({ present: 21 })
    appendFileSync(join(sessions(dir), annas), row('0123abcd', 'x', 'and another'))
    const before = await contentOf(store)
    const { sessions: then } = await importInto(store, dir)
    expect(stateOf(then, anna)).toMatchObject({
      state: 'left',
      because: expect.stringContaining('has not kept what is transcript 1 here'),
    })
    expect(await contentOf(store)).toEqual(before)
    await store.deleteSession({ key: anna, atMs: 1 })
    expect((await importInto(store, dir)).totals).toMatchObject({ imported: 1, present: 20 })
  })

  it('takes the place of a transcript whose last line was being written', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    const file = join(sessions(dir), annas)
    const line = row('0123abcd', 'x', 'and another')
    appendFileSync(file, line.slice(0, 40))
    await importInto(store, dir)
    appendFileSync(file, line.slice(40))
    expect((await importInto(store, dir)).totals).toMatchObject({ renewed: 1, present: 20 })
    expect(wordsOf(await entriesOf(store, anna, 4)).at(-1)).toBe('and another')
  })

  it('is left where its user has begun anew here', async () => {
    const { dir } = unpackFixture('2026.5.18', ground.root)
    await importInto(store, dir)
    await store.resetSession({ key: anna, reason: 'test', atMs: 1 })
    appendFileSync(join(sessions(dir), annas), row('0123abcd', 'x', 'and another'))
    expect((await importInto(store, dir)).totals).toMatchObject({ left: 1, present: 20 })
  })
})
