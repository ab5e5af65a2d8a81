import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { judgeFile, noteOf, Scratch } from '../../../../test/openclaw/scratch.ts'
import { type Clock, systemClock } from '../../../host/clock.ts'
import { beginRun } from '../begin.ts'
import { Journal } from '../journal/journal.ts'
import { undoRun } from '../undo/undo.ts'
import { listArchives, measureArchives, readCopy, showRun } from './archives.ts'
import { expireArchives } from './expire.ts'

const dayMs = 86_400_000
const clockAt = (nowMs: number): Clock => ({ ...systemClock, nowMs: () => nowMs })
const clock = clockAt(Date.UTC(2026, 10, 21, 4))
const later = clockAt(clock.nowMs() + 91 * dayMs)
const undoing = {
  clock,
  gatewayNow: async () => ({ state: 'stopped' as const, proof: 'this test' }),
  dryRun: false,
  only: null,
}
const rules = { archiveMs: 90 * dayMs, archiveBytesMax: null }

/** A chat and a cron run go to the archive. Gives the name of the run. */
async function archiveTwo(scratch: Scratch): Promise<string> {
  const takings = [
    {
      judged: judgeFile(scratch.write('chat.jsonl', 'words')),
      note: noteOf('archive-transcript', 'agent:main:telegram:direct:1'),
    },
    {
      judged: judgeFile(scratch.write('cron.jsonl', 'errand')),
      note: noteOf('archive-transcript', 'agent:main:cron:1:run:2'),
    },
  ]
  await using run = beginRun(scratch.home, 'clean', { clock })
  for await (const { outcome } of run.archiveMany(takings)) expect(outcome.done).toBe(true)
  return basename(dirname(run.manifest ?? ''))
}

async function contentOf(scratch: Scratch, run: string, step: number): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of readCopy(scratch.home.dir, run, step)) parts.push(part)
  return Buffer.concat(parts).toString()
}

describe('archives', () => {
  it('are listed, shown and read', async () => {
    await using scratch = await Scratch.open()
    const run = await archiveTwo(scratch)
    expect(run).toMatch(/^20261121T040000Z-clean-[0-9a-f]{8}$/)
    expect(await listArchives(scratch.home.dir)).toMatchObject([
      { run, command: 'clean', state: 'kept', steps: 2, undone: 0, files: 2, bytes: 11 },
    ])
    const { detail } = await showRun(scratch.home.dir, run)
    expect(detail).toMatchObject([
      { step: 1, path: scratch.path('chat.jsonl'), kept: true, state: 'done' },
      { step: 2, key: 'agent:main:cron:1:run:2', kept: true, state: 'done' },
    ])
    expect([await contentOf(scratch, run, 1), await contentOf(scratch, run, 2)]).toEqual(['words', 'errand'])
    await expect(contentOf(scratch, run, 3)).rejects.toMatchObject({ code: 'ARCHIVE_NOT_FOUND' })
    await expect(showRun(scratch.home.dir, '../../x')).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
    expect(await measureArchives(scratch.home.dir)).toMatchObject({ runs: 1, unfinished: [] })
  })

  it('say what is undone, and what cannot be read', async () => {
    await using scratch = await Scratch.open()
    const run = await archiveTwo(scratch)
    await undoRun(scratch.home, run, { ...undoing, only: new Set([2]) })
    expect(await listArchives(scratch.home.dir)).toMatchObject([{ state: 'partly undone', steps: 2, undone: 1 }])
    await undoRun(scratch.home, run, undoing)
    expect(await listArchives(scratch.home.dir)).toMatchObject([{ state: 'undone' }])
    writeFileSync(scratch.at(`holdfast/archives/${run}/manifest.jsonl`), 'x\n{}\n')
    expect(await listArchives(scratch.home.dir)).toMatchObject([{ state: 'unreadable' }])
  })

  it('expire: errands by age, what people said never', async () => {
    await using scratch = await Scratch.open()
    const run = await archiveTwo(scratch)
    expect(await expireArchives(scratch.home, rules, { clock, dryRun: false })).toEqual([])
    const shown = await expireArchives(scratch.home, rules, { clock: later, dryRun: true })
    expect(shown).toMatchObject([{ kind: 'expire-archive', done: false, left: null }])
    expect(await listArchives(scratch.home.dir)).toMatchObject([{ files: 2 }])
    const done = await expireArchives(scratch.home, rules, { clock: later, dryRun: false })
    expect(done).toEqual(shown.map((step) => ({ ...step, done: true })))
    expect(existsSync(done[0]?.path ?? '')).toBe(false)
    expect(await listArchives(scratch.home.dir)).toMatchObject([{ state: 'kept', files: 1, bytes: 5 }])
    const { steps } = await undoRun(scratch.home, run, undoing)
    expect(steps.map(({ path, done: isDone }) => [basename(path), isDone])).toEqual([
      ['cron.jsonl', false],
      ['chat.jsonl', true],
    ])
    expect(readFileSync(scratch.path('chat.jsonl'), 'utf8')).toBe('words')
  })

  it('go with their manifest when nothing is left in them', async () => {
    await using scratch = await Scratch.open()
    await archiveTwo(scratch)
    expect(
      await expireArchives(scratch.home, { ...rules, archiveBytesMax: 0 }, { clock: later, dryRun: false }),
    ).toHaveLength(2)
    expect(await listArchives(scratch.home.dir)).toEqual([])
  })

  it('that were about to be deleted when the process ended are deleted by the next', async () => {
    await using scratch = await Scratch.open()
    const run = await archiveTwo(scratch)
    const { journal } = await Journal.resume(scratch.home.dir, run)
    await journal.append({ type: 'expire', file: '0002.zst', atMs: clock.nowMs(), because: 'of this test' })
    await journal[Symbol.asyncDispose]()
    expect(await measureArchives(scratch.home.dir)).toMatchObject({ unfinished: [run] })
    {
      await using next = beginRun(scratch.home, 'repair', { clock })
      await next.hold()
    }
    expect(existsSync(scratch.at(`holdfast/archives/${run}/0002.zst`))).toBe(false)
    expect(await listArchives(scratch.home.dir)).toMatchObject([{ state: 'kept', files: 1 }])
  })

  it('stay while a run is damaged', async () => {
    await using scratch = await Scratch.open()
    const run = await archiveTwo(scratch)
    rmSync(scratch.at(`holdfast/archives/${run}/manifest.jsonl`))
    expect(
      await expireArchives(scratch.home, { ...rules, archiveBytesMax: 0 }, { clock: later, dryRun: false }),
    ).toEqual([])
    expect(existsSync(scratch.at(`holdfast/archives/${run}/0001.zst`))).toBe(true)
  })
})
