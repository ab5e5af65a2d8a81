import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Holdfast } from '../../src/engine/holdfast.ts'
import { systemClock } from '../../src/host/clock.ts'
import { parseSessionKey, type SessionKey } from '../../src/model/keys.ts'
import { defaultRetentionPolicy } from '../../src/retention/policy.ts'
import {
  archivedIn,
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

const idle = {
  'telegram:direct:1': 100,
  'telegram:direct:2': 80,
  'cron:job:run:1': 3,
  'cron:job:run:2': 2,
  'cron:job:run:3': 0.5,
  main: 0.1,
}
const gone = ['telegram:direct:1', 'cron:job:run:1', 'cron:job:run:2'].map(parseSessionKey)

async function filled() {
  const directory = join(await newDirectory(), 'data')
  await cp(template, directory, { recursive: true })
  return { directory, keys }
}

const keysOf = async ({ store }: Holdfast) =>
  (await store.listSessions({ limit: 100 })).items.map(({ key }) => key).sort()

/** Filled once, copied for each test. */
let template: string
let keys: SessionKey[]

beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), 'holdfast-retention-'))
  await fill(template, async (scene) => {
    keys = await talkIn(scene, idle)
  })
})
afterAll(() => rm(template, { recursive: true }))

describe('a sweep', () => {
  it('takes out what the policy says, and undoing its manifests brings it back to the byte', async () => {
    const { directory, keys } = await filled()
    const engine = await openOn(directory)
    const before = await exportsOf(engine.store, keys)
    const { steps, report } = await sweep(engine)
    expect(steps.map(({ step, outcome }) => [step.kind === 'take out' && step.key, outcome])).toEqual(
      gone.map((key) => [key, 'done']),
    )
    expect(report).toMatchObject({ applied: true, sessions: 3, transcripts: 3, stayed: 0, more: false })
    expect(report.manifests.map((path) => path.split('/')[0])).toEqual(['archives', 'trash'])
    expect(await keysOf(engine)).toEqual(keys.filter((key) => !gone.includes(key)).sort())
    const archived = await archivedIn(directory)
    expect([...archived.keys()].sort()).toEqual(gone.map((key) => `${key} 1`).sort())
    for (const [name, text] of archived) expect(text).toBe(before.get(name))
    await expectSettled(directory, engine.store)

    for (const manifest of report.manifests) {
      expect((await engine.retention.undo(join(directory, manifest))).conflicts).toEqual([])
    }
    expect(await exportsOf(engine.store, keys)).toEqual(before)
    expect(await archivedIn(directory)).toEqual(new Map())
    await expectSettled(directory, engine.store)
    await expectInOrder(engine.store)
    for (const manifest of report.manifests)
      expect(readdirSync(join(directory, manifest, '..'))).toEqual(['manifest.jsonl'])
  })

  it('shows beforehand what it will do, and changes nothing by showing it', async () => {
    const { directory, keys } = await filled()
    const engine = await openOn(directory)
    const before = await exportsOf(engine.store, keys)
    const shown = await sweep(engine, { apply: false })
    expect(await exportsOf(engine.store, keys)).toEqual(before)
    expect(existsSync(join(directory, 'archives'))).toBe(false)
    const done = await sweep(engine)
    const told = ({ steps }: typeof done) => steps.map(({ step }) => JSON.stringify(step)).sort()
    expect(told(shown)).toEqual(told(done))
    expect(shown.report.sessions).toBe(done.report.sessions)
  })

  it('says when it shows only the first', async () => {
    const directory = await newDirectory()
    await fill(directory, async ({ store, nowMs }) => {
      const made = (at: number) => ({ key: parseSessionKey(`hook:${at}`), atMs: nowMs - 9 * dayMs })
      await Promise.all(Array.from({ length: 1_001 }, (_, at) => store.openSession(made(at))))
      await store.openSession({ key: parseSessionKey('main'), atMs: nowMs })
    })
    const engine = await openOn(directory)
    const { report } = await sweep(engine, { apply: false })
    expect(report).toMatchObject({ sessions: 1_000, more: true })
  })
  it('leaves alone what is pinned, waits, or was used meanwhile', async () => {
    const directory = await newDirectory()
    await fill(directory, async (scene) => {
      await talkIn(scene, idle)
      await scene.store.patchSession({ key: gone[0] as SessionKey, pinned: true, atMs: 1 })
      await scene.admit(gone[1] as SessionKey, 'a message that waits')
    })
    const engine = await openOn(directory)
    const { report } = await sweep(engine)
    expect(report.sessions).toBe(1)
    expect(await keysOf(engine)).toEqual(expect.arrayContaining(gone.slice(0, 2)))
  })

  it('is not made twice within five minutes, nor beside another', async () => {
    const { directory } = await filled()
    const engine = await openOn(directory)
    const going = engine.retention.sweep({ apply: true, trustClock: false })
    await going.next()
    await expect(sweep(engine)).rejects.toMatchObject({ code: 'RETENTION_BUSY' })
    await expect(engine.retention.undo('x')).rejects.toMatchObject({ code: 'RETENTION_BUSY' })
    await going.return()
    await expect(sweep(engine)).rejects.toMatchObject({ code: 'RETENTION_BUSY', retryAfterMs: expect.any(Number) })
    expect((await sweep(engine, { apply: false })).report.applied).toBe(false)
  })

  it('that is told to stop leaves whole steps, and the next goes on', async () => {
    const { directory, keys } = await filled()
    const first = await openOn(directory)
    const before = await exportsOf(first.store, keys)
    for await (const _ of first.retention.sweep({ apply: true, trustClock: false })) break
    await expectSettled(directory, first.store)
    await first.close()
    const engine = await openOn(directory)
    await sweep(engine)
    const all = new Map([...(await exportsOf(engine.store, keys)), ...(await archivedIn(directory))])
    expect(all).toEqual(before)
    expect((await archivedIn(directory)).size).toBe(3)
  })

  it('takes earlier transcripts of a session that goes on, and of one that goes all of them', async () => {
    const directory = await newDirectory()
    const [goes, stays] = [parseSessionKey('telegram:direct:1'), parseSessionKey('main')]
    await fill(directory, async (scene) => {
      const nowMs = scene.nowMs
      for (const days of [300, 200, 100]) {
        for (const key of [goes, stays]) {
          scene.nowMs = nowMs - days * dayMs
          await scene.say(key, `${days} days ago`, 'yes')
          if (days > 100) await scene.store.resetSession({ key, reason: 'new', atMs: scene.nowMs })
        }
      }
      scene.nowMs = nowMs - hourMs * 2
      await scene.say(stays, 'now', 'yes')
    })
    const engine = await openOn(directory)
    const before = await exportsOf(engine.store, [goes, stays])
    expect(before.size).toBe(6)
    const planned = (await sweep(engine, { apply: false })).steps.map(({ step }) => step)
    const { report, steps } = await sweep(engine)
    expect(report).toMatchObject({ sessions: 1, transcripts: 5 })
    expect(planned).toHaveLength(3)
    expect(steps.map(({ step }) => step)).toEqual(planned)
    expect([...(await exportsOf(engine.store, [goes, stays])).keys()]).toEqual([`${stays} 3`])
    await engine.retention.undo(report.sweep)
    expect(await exportsOf(engine.store, [goes, stays])).toEqual(before)
    await expectInOrder(engine.store)
  })

  it('holds transcripts of any length, a part at a time', async () => {
    const directory = await newDirectory()
    const key = parseSessionKey('cron:job:run:1')
    await fill(directory, async (scene) => {
      const nowMs = scene.nowMs
      scene.nowMs = nowMs - 3 * dayMs
      for (let at = 0; at < 12; at += 1) await scene.say(key, `${at} `.repeat(60_000), 'noted')
      scene.nowMs = nowMs
      await scene.say(parseSessionKey('main'), 'hello', 'hi')
    })
    const engine = await openOn(directory)
    const before = await exportsOf(engine.store, [key])
    const { report } = await sweep(engine)
    expect(report.bytes).toBeGreaterThan(1_000_000)
    await engine.retention.undo(report.sweep)
    expect(await exportsOf(engine.store, [key])).toEqual(before)
  })

  it('deletes what has expired in the trash, and keeps the manifest as its record', async () => {
    const { directory } = await filled()
    const engine = await openOn(directory, { trashMaxMs: 0 })
    expect((await sweep(engine)).report).toMatchObject({ deleted: 2, sessions: 3 })
    expect([...(await archivedIn(directory)).keys()]).toEqual([`${gone[0]} 1`])
    await expectSettled(directory, engine.store)
    const [folder] = readdirSync(join(directory, 'trash'))
    expect(readFileSync(join(directory, 'trash', folder ?? '', 'manifest.jsonl'), 'utf8')).toContain('"deleted"')
  })

  it('moves archives that are too old to the trash, from where they still come back', async () => {
    const { directory, keys } = await filled()
    const first = await openOn(directory)
    const before = await exportsOf(first.store, keys)
    await sweep(first)
    await first.close()
    const engine = await openOn(directory, { archives: { ageMaxMs: 1, bytesMax: null } })
    expect((await sweep(engine)).report.toTrash).toBe(1)
    expect(readdirSync(join(directory, 'archives'))).toEqual([])
    await expectSettled(directory, engine.store)
    const { items } = await engine.store.listArchived({ limit: 9, key: gone[0] as SessionKey })
    expect(items).toMatchObject([{ place: 'trash', expiresAtMs: expect.any(Number) }])
    await engine.retention.restore(items[0]?.id as number)
    expect((await exportsOf(engine.store, keys)).get(`${gone[0]} 1`)).toBe(before.get(`${gone[0]} 1`))
  })
})

describe('the clock', () => {
  const shifted = (ms: number) => ({ ...systemClock, nowMs: () => Date.now() + ms })

  it.each([365 * dayMs, -dayMs])(
    'that has jumped by %d ms takes nothing out, until somebody vouches for it',
    async (ms) => {
      const { directory, keys } = await filled()
      const engine = await openOn(directory, {}, { clock: shifted(ms) })
      const before = await exportsOf(engine.store, keys)
      await expect(sweep(engine)).rejects.toMatchObject({
        code: 'CLOCK_SUSPECT',
        message: expect.stringContaining('clock'),
      })
      expect(await exportsOf(engine.store, keys)).toEqual(before)
      expect((await sweep(engine, { apply: false, trustClock: true })).report.clock.kind).toBe('suspect')
      await expect(sweep(engine)).rejects.toMatchObject({ code: 'CLOCK_SUSPECT' })
      expect((await sweep(engine, { trustClock: true })).report.sessions).toBe(ms > 0 ? keys.length - 1 : 3)
    },
  )
  it('that jumps in the middle of a sweep stops it', async () => {
    const { directory } = await filled()
    let ms = 0
    const engine = await openOn(directory, {}, { clock: { ...systemClock, nowMs: () => Date.now() + ms } })
    const going = engine.retention.sweep({ apply: true, trustClock: false })
    await going.next()
    ms = 365 * dayMs
    let last: unknown = null
    for await (const event of going) last = event
    expect(last).toMatchObject({ type: 'done', report: { clock: { kind: 'suspect' }, more: true, sessions: 1 } })
    await expectSettled(directory, engine.store)
  })
})

describe('what is damaged', () => {
  it('brings nothing back and changes nothing', async () => {
    const { directory, keys } = await filled()
    const engine = await openOn(directory)
    const { report } = await sweep(engine)
    const bundle = join(directory, report.manifests[1] ?? '', '..', '0001.jsonl.zst')
    const data = readFileSync(bundle)
    writeFileSync(bundle, Buffer.concat([data.subarray(0, -20), Buffer.alloc(20)]))
    const before = await exportsOf(engine.store, keys)
    await expect(engine.retention.undo(report.manifests[1] ?? '')).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
    expect(await exportsOf(engine.store, keys)).toEqual(before)
    expect((await engine.store.listArchived({ limit: 9 })).items).toHaveLength(3)
    writeFileSync(bundle, data)
    expect((await engine.retention.undo(report.manifests[1] ?? '')).restored).toHaveLength(2)
  })
})

describe('deleting for good', () => {
  const secret = 'xylophone-secret'
  /** Every file of the data directory that holds the text, or the key, as it stands there. */
  const filesWith = (directory: string, text: string) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(text))
      .map(({ name }) => name)

  it('leaves no copy in the database, its log, its free pages or the archives', async () => {
    const directory = await newDirectory()
    const [key, other] = [parseSessionKey('cron:job:run:77'), parseSessionKey('cron:job:run:2')]
    await fill(directory, async (scene) => {
      await talkIn(scene, { 'cron:job:run:77': 4 }, secret)
      await talkIn(scene, { 'cron:job:run:2': 3, main: 0.2 })
    })
    expect(filesWith(directory, secret)).not.toEqual([])
    const engine = await openOn(directory)
    await sweep(engine)
    await engine.store.openSession({ key, atMs: Date.now() })
    const archived = await archivedIn(directory)
    expect([...archived.values()].join('')).toContain(secret)
    expect(await engine.retention.deleteForever(key)).toEqual({ session: true, archived: 1 })
    expect([...(await archivedIn(directory)).keys()]).toEqual([`${other} 1`])
    expect([...(await archivedIn(directory)).values()].join('')).toBe(archived.get(`${other} 1`))
    await expectSettled(directory, engine.store)
    await engine.close()
    expect(filesWith(directory, secret)).toEqual([])
    expect(filesWith(directory, key)).toEqual([])
  })
  it('works when only archives are left, and says when nothing is', async () => {
    const { directory } = await filled()
    const engine = await openOn(directory)
    await sweep(engine)
    expect(await engine.retention.deleteForever(gone[1] as SessionKey)).toEqual({ session: false, archived: 1 })
    const again = engine.retention.deleteForever(gone[1] as SessionKey)
    await expect(again).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' })
    await expectInOrder(engine.store)
  })
})

describe('in the mode warn', () => {
  it('nothing is changed, and people are told once a day in the session that they used last', async () => {
    const { directory, keys } = await filled()
    let ranMs = 0
    const clock = {
      nowMs: () => Date.now() + ranMs,
      steadyMs: () => performance.now() + ranMs,
      sleep: async (ms: number, signal?: AbortSignal) => {
        if (ms > 60_000) ranMs += ms
        await systemClock.sleep(Math.min(ms, 5), signal)
      },
    }
    const retention = { ...defaultRetentionPolicy, mode: 'warn' as const }
    const engine = await openOn(directory, {}, { clock, run: async () => 'hi', settings: { retention } })
    const main = parseSessionKey('main')
    const warnings = async () => {
      const { entries } = await engine.store.readEntries({ key: main, order: 'oldest', limit: 50, kinds: ['event'] })
      return entries.filter(({ body }) => 'code' in body && body.code === 'RETENTION_WARNING')
    }
    await expect.poll(() => ranMs > 20 * hourMs, { timeout: 20_000 }).toBe(true)
    const told = await warnings()
    expect(told.length).toBeGreaterThanOrEqual(1)
    expect(told.length).toBeLessThanOrEqual(Math.ceil(ranMs / dayMs))
    expect(told[0]?.body).toMatchObject({
      text: expect.stringMatching(/would take 3 sessions out.*Nothing was changed/),
    })
    expect(await keysOf(engine)).toEqual([...keys].sort())
    expect(engine.retention.state).toMatchObject({ mode: 'warn', last: { applied: false } })
  })
})

it('what is archived is still found by its words, page by page', async () => {
  const { directory } = await filled()
  const engine = await openOn(directory)
  await sweep(engine)
  const find = (text: string, after?: string) =>
    engine.retention.search({ text, limit: 1, ...(after === undefined ? {} : { after }) }, new AbortController().signal)
  const hits: string[] = []
  let after: string | undefined
  do {
    const page = await find('HELLO job:run', after)
    hits.push(...page.items.map(({ sessionKey, text }) => `${sessionKey}: ${text}`))
    after = page.next ?? undefined
  } while (after !== undefined)
  expect(hits.sort()).toEqual(['1', '2'].map((at) => `agent:main:cron:job:run:${at}: hello of cron:job:run:${at}`))
  expect((await find('nobody said this')).items).toEqual([])
  await expect(find('x', 'not a cursor')).rejects.toMatchObject({ code: 'CURSOR_INVALID' })
})
