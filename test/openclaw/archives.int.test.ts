import { writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { beginRun } from '../../src/openclaw/changes/begin.ts'
import { transcriptOf } from '../cli/golden.ts'
import { normalise } from '../cli/normalise.ts'
import { holdfast, type Scene } from '../cli/program.ts'
import { judgeFile, noteOf, Scratch } from './scratch.ts'
import { treeOf } from './tree.ts'

const golden = (scenario: string) => new URL(`../cli/golden/${scenario}.txt`, import.meta.url).pathname
const thenMs = Date.UTC(2026, 10, 21, 4)
const clock = { ...systemClock, nowMs: () => thenMs }
const hourMs = 3_600_000

/** A home in which a run has dropped an entry and put three files away. Gives the run's name. */
async function archived(scratch: Scratch): Promise<{ run: string; manifest: string }> {
  const index = judgeFile(
    scratch.write('sessions.json', '{\n  "agent:main:main": {},\n  "agent:main:cron:1:run:2": {}\n}'),
  )
  const takings = [
    { name: 'chat.jsonl', kind: 'archive-transcript' as const, key: 'agent:main:telegram:direct:42' },
    { name: 'cron.jsonl', kind: 'archive-transcript' as const, key: 'agent:main:cron:1:run:2' },
    { name: 'old.jsonl.reset.2026-05-01T10-11-12.345Z', kind: 'archive-leftover' as const, key: null },
  ].map(({ name, kind, key }) => ({
    judged: judgeFile(scratch.write(name, `${name}, `.repeat(200))),
    note: { ...noteOf(kind, key), because: 'nobody has used it for 6 days' },
  }))
  await using run = beginRun(scratch.home, 'clean', { clock })
  const dropped = { key: 'agent:main:cron:1:run:2', before: '{}', after: null }
  const note = { ...noteOf('drop-entry', dropped.key), because: 'its run ended 25h ago' }
  await run.replace(index, Buffer.from('{\n  "agent:main:main": {}\n}'), note, [dropped])
  for await (const _ of run.archiveMany(takings));
  const manifest = run.manifest ?? ''
  return { run: basename(dirname(manifest)), manifest }
}

async function expectGolden(scenario: string, scratch: Scratch, run: string, lines: readonly string[]): Promise<void> {
  const scene: Scene = {
    cwd: scratch.top,
    env: { HOME: scratch.top, PATH: process.env.PATH ?? '' },
    nowMs: thenMs + hourMs,
  }
  const text = await transcriptOf(
    lines.map((line) => line.replaceAll('RUN', run)),
    scene,
  )
  await expect(normalise(text.replaceAll(run, 'RUN'), { top: scratch.top })).toMatchFileSnapshot(golden(scenario))
}

describe('archives of a home, by hand', () => {
  it('are listed, shown, restored one by one and taken back', async () => {
    await using scratch = await Scratch.open()
    const { run } = await archived(scratch)
    const after = treeOf(scratch.home.dir)
    await expectGolden('archives', scratch, run, [
      'archive list --home home',
      'archive show RUN --home home',
      'archive show home/holdfast/archives/RUN/manifest.jsonl 1',
      'archive restore RUN 3 --dry-run --home home',
      'archive restore RUN 3 --home home',
      'archive list --home home',
      'undo home/holdfast/archives/RUN/manifest.jsonl --dry-run',
      'undo home/holdfast/archives/RUN/manifest.jsonl',
      'undo home/holdfast/archives/RUN',
      'archive list --home home --json',
      'undo RUN --home home --json',
    ])
    expect(Object.keys(treeOf(scratch.home.dir)).length - Object.keys(after).length).toBe(3)
  })

  it('say what stands in the way', async () => {
    await using scratch = await Scratch.open()
    const { run, manifest } = await archived(scratch)
    await expectGolden('archives-left', scratch, run, [
      'archive show RUN 99 --home home',
      'archive restore RUN 99 --home home',
      'undo nothing-like-it --home home',
      'undo home/agents/main/sessions/sessions.json',
      'undo /etc/passwd',
      'undo',
      'archive expire --older-than soon',
    ])
    scratch.write('chat.jsonl', 'somebody has begun anew')
    scratch.write('sessions.json', '{\n  "agent:main:main": {}, "agent:main:cron:1:run:2": {"new": 1}\n}')
    await expectGolden('archives-changed', scratch, run, ['undo RUN --home home', 'undo RUN --home home --json'])
    writeFileSync(manifest, 'no manifest any more\n{}\n')
    await expectGolden('archives-damaged', scratch, run, ['undo RUN --home home', 'archive list --home home'])
  })

  it('expire', async () => {
    await using scratch = await Scratch.open()
    const { run } = await archived(scratch)
    await expectGolden('archives-expire', scratch, run, [
      'archive expire --home home',
      'archive expire --older-than 30m --home home --dry-run',
      'archive expire --older-than 30m --home home --yes',
      'archive show RUN --home home',
      'undo RUN --home home',
    ])
  })

  it('are explained', async () => {
    await using scratch = await Scratch.open()
    await expectGolden('archives-help', scratch, 'none', [
      'undo --help',
      'archive --help',
      'archive list --help',
      'archive show --help',
      'archive restore --help',
      'archive expire --help',
      'archive list --home home',
    ])
  })

  it('are written to a pipe as they were', async () => {
    await using scratch = await Scratch.open()
    const { run } = await archived(scratch)
    const { stdout } = await holdfast(['archive', 'show', run, '2', '--home', 'home'], {
      cwd: scratch.top,
      env: { HOME: scratch.top },
    })
    expect(stdout).toBe('chat.jsonl, '.repeat(200))
  })
})
