import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock as clock } from '../../src/host/clock.ts'
import { readCopy } from '../../src/openclaw/changes/archives/archives.ts'
import { beginRun } from '../../src/openclaw/changes/begin.ts'
import { listRuns, manifestOf } from '../../src/openclaw/changes/journal/folder.ts'
import { readRun } from '../../src/openclaw/changes/journal/journal.ts'
import { newStage, type Stage } from './killed.ts'
import { judgeFile, noteOf, Scratch } from './scratch.ts'

const program = new URL('programs/changes.ts', import.meta.url).pathname

/** A run of which one call takes long: what others do meanwhile falls between a look and an act. Gives its steps by the file's name. */
async function slowRun(
  { scratch }: Stage,
  delay: string,
  meanwhile: (told: (text: string) => Promise<void>) => Promise<void>,
) {
  const { dir } = scratch.home
  const call = delay.slice(0, delay.indexOf(':'))
  const words = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${delay}`,
    process.execPath,
    '--no-warnings',
    program,
    dir,
    'change',
  ]
  const child = spawn('strace', words, { stdio: ['ignore', 'ignore', 'inherit'] })
  const closed = once(child, 'close')
  await meanwhile(async (text) => {
    while (!(await manifestOfOnly(dir)).includes(text)) {
      if (child.exitCode !== null) throw new Error('the run ended before that')
      await sleep(3)
    }
  })
  expect((await closed)[0]).toBe(0)
  const [run = ''] = await listRuns(dir)
  const { state } = await readRun(dir, run)
  expect(readdirSync(scratch.sessions).filter((name) => name.includes('holdfast'))).toEqual([])
  return (name: string) => [...state.steps.values()].find(({ told }) => told.path.endsWith(name))
}

async function manifestOfOnly(dir: string): Promise<string> {
  const [run] = existsSync(dir) ? await listRuns(dir) : []
  return run === undefined || !existsSync(manifestOf(dir, run)) ? '' : readFileSync(manifestOf(dir, run), 'utf8')
}

describe('what somebody does between the last look and the act', () => {
  it('appending to a file that is being taken: it stays, with what was appended', async () => {
    await using stage = await newStage()
    const path = stage.scratch.path('a.jsonl')
    const stepOf = await slowRun(stage, 'rename:delay_enter=400000:when=2', async (told) => {
      await told('"type":"take"')
      appendFileSync(path, 'late\n')
    })
    expect(readFileSync(path, 'utf8')).toBe('a.jsonl\nlate\n')
    expect(stepOf('/a.jsonl')).toMatchObject({ state: 'left' })
    expect(stepOf('/b.jsonl')).toMatchObject({ state: 'done' })
  })

  it('putting another file in its place: that one stays', async () => {
    await using stage = await newStage()
    const path = stage.scratch.path('a.jsonl')
    const stepOf = await slowRun(stage, 'rename:delay_enter=400000:when=2', async (told) => {
      await told('"type":"take"')
      writeFileSync(`${path}.other`, 'other')
      renameSync(`${path}.other`, path)
    })
    expect(readFileSync(path, 'utf8')).toBe('other')
    expect(stepOf('/a.jsonl')).toMatchObject({ state: 'left' })
  })

  it('appending to a file that is being replaced: nothing of it is lost', async () => {
    await using stage = await newStage()
    const path = stage.scratch.path('broken.jsonl')
    const stepOf = await slowRun(stage, 'rename:delay_enter=800000:when=6', async (told) => {
      await told('/broken.jsonl"')
      while (!readdirSync(stage.scratch.sessions).some((name) => name.endsWith('.new'))) await sleep(1)
      await sleep(100) // the last look is over by now, if the machine is not slow: else it sees this
      appendFileSync(path, 'late\n')
    })
    expect(readFileSync(path, 'utf8')).toBe('broken.jsonl\nlate\n')
    expect(stepOf('/broken.jsonl')).toMatchObject({ state: 'left' })
  })

  it('writing by a descriptor to a file that has lost its name: it has its name again', async () => {
    await using stage = await newStage()
    const path = stage.scratch.path('d.jsonl.deleted.x')
    const fd = openSync(path, 'a')
    const stepOf = await slowRun(stage, 'unlink:delay_exit=1500000:when=4', async () => {
      while (fstatSync(fd).nlink > 0) await sleep(3)
      writeSync(fd, 'late\n')
      closeSync(fd)
    })
    expect(readFileSync(path, 'utf8')).toBe('d.jsonl.deleted.x\nlate\n')
    expect(stepOf('/d.jsonl.deleted.x')).toMatchObject({ state: 'left' })
  })
})

it('an archive that is made while somebody appends has every line, or leaves it in the file', async () => {
  await using scratch = await Scratch.open()
  const path = scratch.write('busy.jsonl', '')
  const writer = `
    const fs = require('node:fs')
    let number = 0
    const append = () => {
      if (number === 400) return
      const fd = fs.openSync(process.argv[1], 'a')
      fs.writeSync(fd, (number += 1) + '\\n')
      fs.closeSync(fd)
      setTimeout(append, number % 40 === 0 ? 100 : 1)
    }
    append()`
  const child = spawn(process.execPath, ['--eval', writer, path], { stdio: 'inherit' })
  const closed = once(child, 'close')
  while (child.exitCode === null) {
    await using run = beginRun(scratch.home, 'clean', { clock })
    if (existsSync(path)) await run.archive(judgeFile(path), noteOf())
    await sleep(2)
  }
  await closed
  const parts: string[] = []
  for (const run of await listRuns(scratch.home.dir)) {
    const { state } = await readRun(scratch.home.dir, run)
    for (const { told, state: is } of state.steps.values()) {
      if (is !== 'done') continue
      for await (const part of readCopy(scratch.home.dir, run, told.step)) parts.push(Buffer.from(part).toString())
    }
  }
  for (const name of readdirSync(scratch.sessions)) parts.push(readFileSync(scratch.path(name), 'utf8'))
  const numbers = parts
    .join('')
    .trim()
    .split('\n')
    .map(Number)
    .sort((a, b) => a - b)
  expect(numbers).toEqual(Array.from({ length: 400 }, (_, at) => at + 1))
})
