import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { judgeFile, noteOf, Scratch } from '../../../test/openclaw/scratch.ts'
import { systemClock } from '../../host/clock.ts'
import { beginRun } from './begin.ts'

const clock = systemClock

describe('a run', () => {
  it('leaves no trace before its first step, nor of one that could not be taken', async () => {
    await using scratch = await Scratch.open()
    {
      await using run = beginRun(scratch.home, 'clean', { clock })
      expect(run.manifest).toBeNull()
    }
    expect(existsSync(scratch.at('holdfast'))).toBe(false)
    {
      await using run = beginRun(scratch.home, 'clean', { clock })
      const judged = { ...judgeFile(scratch.write('a.jsonl', 'x')), path: scratch.path('b.jsonl') }
      expect(await run.archive(judged, noteOf())).toMatchObject({ done: false, left: 'missing' })
      expect(run.manifest).toBeNull()
    }
    expect(readdirSync(scratch.at('holdfast'))).toEqual(['archives', 'lock'])
    expect(readdirSync(scratch.at('holdfast/archives'))).toEqual([])
  })

  it('takes files to the archive, where zstd reads them', async () => {
    await using scratch = await Scratch.open()
    const contents = { 'a.jsonl': 'one\n', 'b.jsonl': 'x'.repeat(1_000_000), 'empty.jsonl': '' }
    const items = Object.entries(contents).map(([name, text]) => ({
      judged: judgeFile(scratch.write(name, text)),
      note: noteOf(),
    }))
    let manifest = ''
    {
      await using run = beginRun(scratch.home, 'clean', { clock })
      const outcomes = []
      for await (const { outcome } of run.archiveMany(items)) outcomes.push(outcome)
      expect(outcomes).toEqual([4, 1_000_000, 0].map((bytes) => ({ done: true, bytes })))
      manifest = run.manifest ?? ''
    }
    expect(readdirSync(scratch.sessions)).toEqual([])
    expect(execFileSync('zstd', ['-dc', join(manifest, '../0001.zst')]).toString()).toBe(
      Object.values(contents).join(''),
    )
    const lines = readFileSync(manifest, 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).type)).toEqual([
      'run',
      'take',
      'take',
      'take',
      'done',
      'done',
      'done',
      'settled',
    ])
    expect(lstatSync(manifest).mode & 0o777).toBe(0o600)
  })

  it('gives a file other content, and then again', async () => {
    await using scratch = await Scratch.open()
    const judged = judgeFile(scratch.write('sessions.json', '{"a":1}'))
    await using run = beginRun(scratch.home, 'clean', { clock })
    const first = await run.replace(judged, Buffer.from('{}'), noteOf('drop-entry'), [
      { key: 'a', before: '1', after: null },
    ])
    if (!first.done) throw new Error(first.because)
    const second = await run.replace(first.now, Buffer.from('{ }'), noteOf('drop-entry'))
    expect(second).toMatchObject({ done: true, bytes: 2 })
    expect(readFileSync(judged.path, 'utf8')).toBe('{ }')
    expect(await run.replace(judged, Buffer.from(''), noteOf('drop-entry'))).toMatchObject({ left: 'changed' })
  })

  it('makes a file, and changes permission bits of files and directories', async () => {
    await using scratch = await Scratch.open()
    await using run = beginRun(scratch.home, 'doctor', { clock })
    const path = scratch.path('sessions.json.bak.1')
    expect(await run.create(path, Buffer.from('x'), noteOf('rotate-index'))).toEqual({ done: true, bytes: 1 })
    expect(await run.create(path, Buffer.from('y'), noteOf('rotate-index'))).toMatchObject({ left: 'changed' })
    expect(await run.setMode(judgeFile(path), 0o400, noteOf('tighten-mode'))).toMatchObject({ done: true })
    expect(await run.setMode(judgeFile(scratch.sessions), 0o710, noteOf('tighten-mode'))).toMatchObject({ done: true })
    expect([lstatSync(path).mode & 0o777, lstatSync(scratch.sessions).mode & 0o777]).toEqual([0o400, 0o710])
  })

  it('leaves alone what is locked, receipted, a database, or not in the home', async () => {
    await using scratch = await Scratch.open()
    const left = async (name: string, held = false) => {
      const judged = judgeFile(scratch.write(name, name))
      await using run = beginRun({ ...scratch.home, receipts: [scratch.path('kept')] }, 'clean', { clock })
      if (held) run.heldLocks.add(`${judged.path}.lock`)
      const outcome = await run.archive(judged, noteOf())
      expect(existsSync(judged.path)).toBe(!outcome.done)
      return outcome.done ? 'done' : outcome.left
    }
    scratch.write('a.jsonl.lock', '{}')
    expect(await left('a.jsonl')).toBe('locked')
    expect(await left('a.jsonl', true)).toBe('done')
    expect(await left('kept/b.jsonl')).toBe('unsafe')
    expect(await left('../agent/openclaw-agent.sqlite')).toBe('unsafe')
    expect(await left('../../../../outside')).toBe('unsafe')
    expect(await left('../../../holdfast/archives/x')).toBe('unsafe')
  })

  it('is alone on its home', async () => {
    await using scratch = await Scratch.open()
    await using first = beginRun(scratch.home, 'clean', { clock })
    await first.hold()
    await using second = beginRun(scratch.home, 'repair', { clock })
    await expect(second.hold()).rejects.toMatchObject({ code: 'HOME_BUSY' })
    await first[Symbol.asyncDispose]()
    await second.hold()
  })

  it('does not take what has changed since it was judged', async () => {
    await using scratch = await Scratch.open()
    const judged = judgeFile(scratch.write('a.jsonl', 'one'))
    writeFileSync(judged.path, 'two')
    await using run = beginRun(scratch.home, 'clean', { clock })
    expect(await run.archive(judged, noteOf())).toMatchObject({ left: 'changed' })
    expect(await run.archive({ ...judgeFile(judged.path), sha256: judged.sha256 }, noteOf())).toMatchObject({
      left: 'changed',
    })
    expect(readFileSync(judged.path, 'utf8')).toBe('two')
  })

  it('goes through no link that leads out of the home, however it got there', async () => {
    await using scratch = await Scratch.open()
    const outside = join(scratch.top, 'outside')
    mkdirSync(outside)
    const judged = judgeFile(scratch.write('a.jsonl', 'inside'))
    const elsewhere = { ...judgeFile(scratch.write('b.jsonl', 'inside too')), path: judged.path }
    renameSync(scratch.sessions, join(outside, 'sessions'))
    symlinkSync(join(outside, 'sessions'), scratch.sessions)
    await using run = beginRun(scratch.home, 'clean', { clock })
    for (const each of [judged, elsewhere]) expect(await run.archive(each, noteOf())).toMatchObject({ left: 'unsafe' })
    expect(await run.replace(judged, Buffer.from('x'), noteOf('repair-transcript'))).toMatchObject({ left: 'unsafe' })
    expect(await run.create(scratch.path('c'), Buffer.from('x'), noteOf('rotate-index'))).toMatchObject({
      left: 'unsafe',
    })
    expect(await run.setMode(judged, 0o600, noteOf('tighten-mode'))).toMatchObject({ left: 'unsafe' })
    expect(readdirSync(join(outside, 'sessions'))).toEqual(['a.jsonl', 'b.jsonl'])
  })

  it.each([
    ['its own folder is a link', (at: string, to: string) => symlinkSync(to, join(at, 'holdfast'))],
    ['its own folder is a file', (at: string) => writeFileSync(join(at, 'holdfast'), '')],
    [
      'its archives are a link',
      (at: string, to: string) => {
        mkdirSync(join(at, 'holdfast'))
        symlinkSync(to, join(at, 'holdfast/archives'))
      },
    ],
    [
      'its lock is a link',
      (at: string, to: string) => {
        mkdirSync(join(at, 'holdfast'))
        symlinkSync(join(to, 'lock'), join(at, 'holdfast/lock'))
      },
    ],
    [
      'its lock is a pipe',
      (at: string) => {
        mkdirSync(join(at, 'holdfast'))
        execFileSync('mkfifo', [join(at, 'holdfast/lock')])
      },
    ],
  ])('does not begin where %s', async (_, plant) => {
    await using scratch = await Scratch.open()
    const outside = join(scratch.top, 'outside')
    mkdirSync(outside)
    plant(scratch.home.dir, outside)
    const judged = judgeFile(scratch.write('a.jsonl', 'inside'))
    await using run = beginRun(scratch.home, 'clean', { clock })
    await expect(run.archive(judged, noteOf())).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
    expect(readdirSync(outside)).toEqual([])
    expect(readFileSync(judged.path, 'utf8')).toBe('inside')
  })
})
