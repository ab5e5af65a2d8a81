import { linkSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { homeWith, repair, running, textOf, undo } from '../../../test/openclaw/transcripts/home.ts'
import { file, header, reply, user } from '../../../test/openclaw/transcripts/rows.ts'
import { treeOf } from '../../../test/openclaw/tree.ts'
import type { JudgedLock } from '../locks/verdict.ts'

const clean = file(header, user('a', null), reply('b', 'a'))
const torn = Buffer.concat([clean, Buffer.from('{"type":"mess')])

describe('a repair of a home', () => {
  it('mends what is damaged and nothing else, says so, and can be undone to the byte', async () => {
    await using scratch = await homeWith({ clean, torn })
    const before = treeOf(scratch.home.dir)
    const { steps, manifest } = await repair(scratch.home)
    expect(steps).toEqual([
      {
        kind: 'repair-transcript',
        path: scratch.path('torn.jsonl'),
        key: 'agent:main:telegram:direct:torn',
        because: '1 torn tail',
        bytes: torn.length,
        done: true,
        left: null,
        messages: { before: 2, after: 2 },
        lines: [
          {
            line: 4,
            offset: clean.length,
            bytes: 13,
            outcome: 'taken out',
            because: '13 bytes that are no entry were taken out',
          },
        ],
        linesTold: 1,
      },
    ])
    expect(textOf(scratch, 'torn')).toBe(clean.toString())
    expect(lstatSync(scratch.path('torn.jsonl')).mode & 0o777).toBe(0o644)
    expect(await repair(scratch.home)).toEqual({ steps: [], unmended: [], manifest: null })
    expect(await undo(scratch.home, manifest)).toEqual([true])
    expect(treeOf(scratch.home.dir)).toEqual(before)
  })
  it('is the same when it is only shown, and then nothing is done', async () => {
    await using scratch = await homeWith({ clean, torn })
    const before = treeOf(scratch.top)
    const shown = await repair(scratch.home, { dryRun: true })
    expect(treeOf(scratch.top)).toEqual(before)
    expect(shown.manifest).toBeNull()
    const { steps } = await repair(scratch.home)
    expect(shown.steps).toEqual(steps.map((step) => ({ ...step, done: false })))
  })
  it('mends only what it is asked for', async () => {
    await using scratch = await homeWith({ one: torn, two: torn })
    const { steps } = await repair(scratch.home, { wanted: [scratch.path('two.jsonl')] })
    expect(steps.map(({ path, done }) => [path, done])).toEqual([[scratch.path('two.jsonl'), true]])
    expect(textOf(scratch, 'one')).toBe(torn.toString())
  })
  it('says what stays as it is', async () => {
    await using scratch = await homeWith({ old: file(header.replace('3', '2'), user('a', null)) })
    const { steps, unmended } = await repair(scratch.home)
    expect(steps).toEqual([])
    expect(unmended).toEqual([{ path: scratch.path('old.jsonl'), because: expect.stringContaining('an old version') }])
  })
})

describe('a header that is made', () => {
  it('has the id of the entry that names the file, and the time and place of what is there', async () => {
    await using scratch = await homeWith({ other: clean })
    writeFileSync(scratch.path('x-topic-7.jsonl'), file(user('a', null)))
    const index = JSON.parse(readFileSync(scratch.path('sessions.json'), 'utf8'))
    index['agent:main:x'] = { sessionId: 'x', sessionFile: scratch.path('x-topic-7.jsonl') }
    writeFileSync(scratch.path('sessions.json'), JSON.stringify(index))
    await repair(scratch.home)
    const made = { type: 'session', version: 3, id: 'x', timestamp: '2026-11-21T06:00:00.000Z', cwd: '/w' }
    expect(textOf(scratch, 'x-topic-7')).toBe(file(JSON.stringify(made), user('a', null)).toString())
  })
  it('has the id of the name of the file, its time, and the usual place, where nothing else tells', async () => {
    await using scratch = await homeWith({})
    writeFileSync(scratch.path('2026-11-21T06-41-00-000Z_abc.jsonl'), '')
    await repair(scratch.home)
    const [line = ''] = textOf(scratch, '2026-11-21T06-41-00-000Z_abc').split('\n')
    expect(JSON.parse(line)).toMatchObject({ id: 'abc', cwd: scratch.at('workspace') })
    expect(Math.abs(Date.parse(JSON.parse(line).timestamp) - Date.now())).toBeLessThan(60_000)
  })
})

describe('what is left alone', () => {
  const lock = (path: string, verdict: JudgedLock['verdict']): JudgedLock =>
    ({ path, verdict }) as unknown as JudgedLock

  it('is everything that a running gateway may write to', async () => {
    await using scratch = await homeWith({ used: torn })
    writeFileSync(scratch.path('left.jsonl'), torn)
    const soon = await repair(scratch.home, { gateway: running })
    const reasons = (steps: { path: string; left: string | null }[]) =>
      steps.map(({ path, left }) => `${path.slice(scratch.sessions.length + 1)}: ${left ?? 'mended'}`).sort()
    expect(reasons(soon.steps)).toEqual([
      'left.jsonl: the gateway runs, and it was written just now',
      'used.jsonl: the gateway runs and may write to it: stop it, or leave this to `holdfast prestart`',
    ])
    const later = await repair(scratch.home, { gateway: running, nowMs: Date.now() + scratch.home.policy.recentMs + 1 })
    expect(reasons(later.steps)[0]).toBe('left.jsonl: mended')
    writeFileSync(scratch.path('sessions.json'), '{"torn')
    writeFileSync(scratch.path('left.jsonl'), torn)
    const blind = await repair(scratch.home, { gateway: { state: 'unknown', because: 'nobody knows' } })
    expect(reasons(blind.steps)[0]).toBe(
      'left.jsonl: a gateway may run (nobody knows), and the index does not tell what it uses',
    )
  })
  it('is what is locked, whatever the lock is worth', async () => {
    await using scratch = await homeWith({ live: torn, dead: torn, late: torn })
    writeFileSync(scratch.path('late.jsonl.lock'), '{}')
    const locks = [lock(scratch.path('live.jsonl.lock'), 'live'), lock(scratch.path('dead.jsonl.lock'), 'dead')]
    const { steps, manifest } = await repair(scratch.home, { locks })
    expect(steps.map(({ done, left }) => [done, left])).toEqual([
      [false, 'a lock of an ended process stands beside it: `holdfast locks clear` first'],
      [false, 'somebody has just locked it'],
      [false, 'it is locked by somebody who may be at work'],
    ])
    expect(manifest).toBeNull()
  })
  it('is what is no plain file of this home, or is named by a migration', async () => {
    await using scratch = await homeWith({ hard: torn, receipt: torn })
    writeFileSync(`${scratch.top}/outside.jsonl`, torn)
    symlinkSync(`${scratch.top}/outside.jsonl`, scratch.path('link.jsonl'))
    linkSync(scratch.path('hard.jsonl'), `${scratch.top}/hard`)
    const home = { ...scratch.home, receipts: [scratch.path('receipt.jsonl')] }
    const { steps } = await repair(home)
    expect(steps.map(({ left }) => left)).toEqual(['it has 2 names (hard links)', 'a migration to SQLite names it'])
    expect(readFileSync(`${scratch.top}/outside.jsonl`).equals(torn)).toBe(true)
  })
})

it('copies a line of 17 MB as it is, and mends those around it', async () => {
  const long = user('long', 'b', 'ä'.repeat(8.5 * 1024 ** 2))
  await using scratch = await homeWith({
    a: Buffer.concat([file(header, user('a', null), `${user('b', 'a')}`, long), torn]),
  })
  const { steps, unmended } = await repair(scratch.home)
  expect(unmended).toHaveLength(1)
  expect(steps.map(({ done, because }) => [done, because])).toEqual([
    [true, '1 torn tail, 1 line stored twice, 1 id of two entries'],
  ])
  const [, , , line] = textOf(scratch, 'a').split('\n')
  expect(line === long).toBe(true)
})
