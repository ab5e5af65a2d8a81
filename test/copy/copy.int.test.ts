import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { compareStores } from '../../src/copy/compare.ts'
import { copyStore } from '../../src/copy/copy.ts'
import type { CopyReport } from '../../src/copy/report.ts'
import { openHoldfast } from '../../src/engine/holdfast.ts'
import { currentHolder } from '../../src/host/process.ts'
import { parseSessionKey } from '../../src/model/keys.ts'
import { openReadOnly as openPostgres, postgresStore } from '../../src/postgres/open.ts'
import { openReadOnly as openSqlite, sqliteStore } from '../../src/sqlite/open.ts'
import type { OpenStore, Store } from '../../src/store/port.ts'
import { furnish } from '../../src/testing/contract/retention/moves.ts'
import { alice, problemsOf, Scene } from '../../src/testing/contract/scene.ts'
import { newSchema } from '../postgres/ground.ts'
import { Server } from '../postgres/server.ts'

const carol = parseSessionKey('carol')
const dave = parseSessionKey('dave')
const erin = parseSessionKey('erin')
const program = new URL('../../bin/holdfast.mjs', import.meta.url).pathname

let server: Server
let folder: string
beforeAll(async () => {
  server = await Server.start()
})
afterAll(() => server.stop())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-copy-'))
  return () => rmSync(folder, { recursive: true, force: true })
})

const silent = { verb: () => {}, commit: () => {}, writable: () => {} }
const open = (openStore: OpenStore): Promise<Store> =>
  openStore({ holder: currentHolder(Date.now()), telemetry: silent, atMs: Date.now() })

/** Sessions of all sorts, one of them at work, and a job. */
async function fill(openStore: OpenStore): Promise<void> {
  const scene = await Scene.open({ openStore, backupDirectory: null, dispose: async () => {} })
  await furnish(scene)
  const { store, nowMs: atMs } = scene
  await store.patchSession({ key: alice, pinned: true, atMs })
  await scene.say(carol, 'hello', 'a body beyond a row: '.repeat(4_000))
  await store.resetSession({ key: carol, reason: 'new', atMs })
  const interrupted = await scene.begin(carol, 'once more')
  await scene.append(
    { key: carol, turnId: interrupted.turn.id, fence: interrupted.fence, head: interrupted.head },
    'half',
  )
  await store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 9, atMs })
  await store.requeueTurn({ turnId: interrupted.turn.id, lane: 'resume', atMs })
  await scene.settle(await scene.claim(), 'whole')
  const summary = { key: carol, transcript: 2, kind: 'model' as const, tokens: 3, atMs }
  const { id: baseId } = await store.commitSummary({ ...summary, baseId: null, uptoSeq: 2, text: 'one' })
  await store.commitSummary({ ...summary, baseId, uptoSeq: 4, text: 'two' })
  await store.archiveSession({ key: carol, atMs })
  const sentTo = { request: { instructions: [], params: {}, streaming: false, deliverTo: ['telegram:42'] } }
  await scene.settle(await scene.begin(erin, 'tell me there', sentTo), 'not sent yet')
  await scene.admit(dave, 'nobody has answered this')
  const job = { id: 'report', agentId: 'main', name: 'Report', schedule: '0 7 * * *', timeZone: 'Europe/Berlin' }
  const asked = {
    messages: [{ role: 'user' as const, content: 'report' }],
    instructions: [],
    params: {},
    deliverTo: [],
  }
  const spec = { ...job, missed: 'once' as const, ...asked, enabled: true }
  await store.putJob({ job: spec, nextAtMs: atMs + 1, replace: false, jobsMax: 9, atMs })
  await store.close()
}

/** Numbers there are taken before anything is brought. */
async function occupy(openStore: OpenStore): Promise<void> {
  await using engine = await openHoldfast({ store: openStore, run: async () => 'hi', watch: false })
  for (const text of ['a', 'b', 'c']) {
    const { turn } = await engine.submit({ key: parseSessionKey('zoe'), messages: text })
    await engine.settled(turn.id)
  }
}

async function copied(from: Store, to: Store | null, dryRun = false): Promise<CopyReport> {
  const asked = { keys: [], signal: new AbortController().signal }
  return await copyStore({ from, to, nowMs: Date.now(), dryRun }, asked, () => {})
}

const states = ({ sessions }: CopyReport) =>
  Object.fromEntries(sessions.map(({ key, state }) => [key.replace('agent:main:', ''), state]))

async function goesOn(openStore: OpenStore): Promise<void> {
  await using engine = await openHoldfast({ store: openStore, run: async () => 'and on', watch: false })
  for (const key of [alice, carol]) {
    const { turn } = await engine.submit({ key, messages: 'on' })
    expect((await engine.settled(turn.id)).turn.status).toBe('done')
  }
  expect(problemsOf(await engine.store.verify({ quick: false, atMs: Date.now() }))).toEqual([])
}

it('goes from SQLite to PostgreSQL and back, the same to the record, into stores that have others already', async () => {
  const [first, last] = [join(folder, 'first'), join(folder, 'last')]
  const url = await newSchema(server)
  await fill(sqliteStore(first))
  await occupy(postgresStore(url))
  await occupy(sqliteStore(last))

  const source = await openSqlite(first)
  const there = await open(postgresStore(url))
  const report = await copied(source, there)
  expect(states(report)).toEqual({ alice: 'copied', carol: 'copied', dave: 'left', erin: 'left' })
  expect(report.sessions.find(({ key }) => key === dave)?.because).toMatch(/has not ended/)
  expect(report.sessions.find(({ key }) => key === erin)?.because).toMatch(/has not been delivered/)
  expect(report.jobs).toEqual([{ id: 'report', state: 'copied', because: null }])
  const again = await copied(source, there)
  expect(states(again)).toEqual({ alice: 'present', carol: 'present', dave: 'left', erin: 'left' })
  expect(again.jobs[0]?.state).toBe('present')
  for (const key of [alice, carol]) {
    const [before, after] = [await source.readSession(key), await there.readSession(key)]
    expect(after).toEqual(before)
    const context = { key, tokensMax: 1e6, bytesMax: 1e6 }
    expect(unnumbered(await there.readContext(context))).toEqual(unnumbered(await source.readContext(context)))
  }
  expect(await there.readJob('report')).toMatchObject({
    schedule: '0 7 * * *',
    nextAtMs: (await source.readJob('report'))?.nextAtMs,
  })

  const back = await open(sqliteStore(last))
  expect(states(await copied(there, back))).toMatchObject({ alice: 'copied', carol: 'copied', zoe: 'left' })
  for (const key of [alice, carol])
    for (const number of [1, 2]) expect(await compareStores(source, back, key, number)).toBe(null)
  for (const store of [source, there, back]) await store.close()
  await goesOn(postgresStore(url))
  await goesOn(sqliteStore(last))
})

/** Ids of summaries are a store's own. */
const unnumbered = (context: { summary: { id: number; baseId: number | null } | null }) => ({
  ...context,
  summary: context.summary === null ? null : { ...context.summary, id: 0, baseId: null },
})

it('leaves what is there and differs, and says what differs', async () => {
  const url = await newSchema(server)
  await fill(sqliteStore(folder))
  const source = await openSqlite(folder)
  const target = await open(postgresStore(url))
  await copied(source, target)
  await target.close()
  await goesOn(postgresStore(url))
  const later = await openPostgres(url)
  const report = await copied(source, later, true)
  expect(states(report)).toEqual({ alice: 'left', carol: 'left', dave: 'left', erin: 'left' })
  expect(report.sessions.find(({ key }) => key === alice)?.because).toMatch(/its transcript 2 has another/)
  await source.close()
  await later.close()
})

it('does nothing in a dry run', async () => {
  await fill(sqliteStore(folder))
  const url = await newSchema(server)
  const [source, target] = [await openSqlite(folder), await openPostgres(url)]
  expect(states(await copied(source, target, true))).toEqual({
    alice: 'copied',
    carol: 'copied',
    dave: 'left',
    erin: 'left',
  })
  expect((await target.listSessions({ limit: 9 })).items).toEqual([])
  expect(states(await copied(source, null, true))).toEqual({
    alice: 'copied',
    carol: 'copied',
    dave: 'left',
    erin: 'left',
  })
  await source.close()
  await target.close()
})

it('is killed again and again, and goes on from there', async () => {
  const source = join(folder, 'source')
  const keys = Array.from({ length: 40 }, (_, index) => parseSessionKey(`s${index}`))
  {
    await using engine = await openHoldfast({
      store: sqliteStore(source),
      run: async () => 'x'.repeat(20_000),
      watch: false,
    })
    for (const key of keys) {
      for (let turn = 0; turn < 4; turn += 1) {
        const { turn: asked } = await engine.submit({ key, messages: `m${turn}` })
        await engine.settled(asked.id)
      }
    }
  }
  const url = await newSchema(server)
  let kills = 0
  for (;;) {
    const child = spawn(process.execPath, [program, 'copy', source, url, '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const parts: Buffer[] = []
    child.stdout.on('data', (part: Buffer) => parts.push(part))
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    const killed = kills < 6 ? sleep(600 + kills * 250, 'killed' as const) : new Promise<never>(() => {})
    if ((await Promise.race([ended, killed])) === 'killed') {
      child.kill('SIGKILL')
      await ended
      kills += 1
      continue
    }
    const report = JSON.parse(Buffer.concat(parts).toString()) as CopyReport
    expect(await ended).toBe(0)
    expect(report.totals.left + report.totals.mismatch).toBe(0)
    expect(report.totals.copied + report.totals.present).toBe(keys.length)
    break
  }
  expect(kills).toBeGreaterThan(0)
  const [from, to] = [await openSqlite(source), await openPostgres(url)]
  for (const key of keys) expect(await compareStores(from, to, key, 1)).toBe(null)
  expect(problemsOf(await to.verify({ quick: false, atMs: Date.now() }))).toEqual([])
  await from.close()
  await to.close()
})
