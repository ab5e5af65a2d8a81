import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { judgeFile, noteOf, Scratch } from '../../../../test/openclaw/scratch.ts'
import { treeOf } from '../../../../test/openclaw/tree.ts'
import { systemClock as clock } from '../../../host/clock.ts'
import type { GatewayFacts } from '../../gateway/running.ts'
import { expireArchives } from '../archives/expire.ts'
import { beginRun } from '../begin.ts'
import { undoRun } from './undo.ts'

const stopped: GatewayFacts = { state: 'stopped', proof: 'this test' }
const running: GatewayFacts = { state: 'running', pid: 1, sinceMs: null, proof: 'this test', container: null }
const how = { clock, gatewayNow: async () => stopped, dryRun: false, only: null }
const index = (entries: Record<string, string>) =>
  `{\n${Object.entries(entries)
    .map(([key, value]) => `  "${key}": ${value}`)
    .join(',\n')}\n}`

/** A run that did one of everything, and the tree before it. */
async function everything(scratch: Scratch): Promise<{ run: string; before: Record<string, string> }> {
  const fixed = new Date('2026-05-01T10:11:12.345Z')
  const paths = ['a.jsonl', 'b.jsonl', 'big.jsonl'].map((name, at) =>
    scratch.write(name, at === 2 ? 'line\n'.repeat(300_000) : `${name}\n`),
  )
  chmodSync(scratch.path('a.jsonl'), 0o640)
  if (process.getuid?.() === 0) chownSync(scratch.path('b.jsonl'), 1_234, 1_235)
  paths.push(scratch.write('sessions.json', index({ one: '{"n":1}', two: '{"n": 2}', three: '[3]' })))
  paths.push(scratch.write('broken.jsonl', 'half'), scratch.write('open.txt', 'x'))
  for (const path of paths) utimesSync(path, fixed, fixed)
  const takings = paths.slice(0, 3).map((path) => ({ judged: judgeFile(path), note: noteOf() }))
  const before = treeOf(scratch.home.dir)
  await using run = beginRun(scratch.home, 'clean', { clock })
  const two = { key: 'two', before: '{"n": 2}', after: null }
  const without = index({ one: '{"n":1}', three: '[3]' })
  const dropped = await run.replace(
    judgeFile(scratch.path('sessions.json')),
    Buffer.from(without),
    noteOf('drop-entry'),
    [two],
  )
  if (!dropped.done) throw new Error(dropped.because)
  const three = { key: 'three', before: '[3]', after: '[4]' }
  const changed = index({ one: '{"n":1}', three: '[4]' })
  expect(await run.replace(dropped.now, Buffer.from(changed), noteOf('settle-entry'), [three])).toMatchObject({
    done: true,
  })
  for await (const { outcome } of run.archiveMany(takings)) expect(outcome.done).toBe(true)
  const mended = judgeFile(scratch.path('broken.jsonl'))
  expect(await run.replace(mended, Buffer.from('whole'), noteOf('repair-transcript'))).toMatchObject({ done: true })
  expect(await run.create(scratch.path('new.bak'), Buffer.from('new'), noteOf('rotate-index'))).toMatchObject({
    done: true,
  })
  expect(await run.setMode(judgeFile(scratch.path('open.txt')), 0o600, noteOf('tighten-mode'))).toMatchObject({
    done: true,
  })
  return { run: basename(dirname(run.manifest ?? '')), before }
}

describe('undoing a run', () => {
  it('gives back every byte, mode, owner and time', async () => {
    await using scratch = await Scratch.open()
    const { run, before } = await everything(scratch)
    const report = await undoRun(scratch.home, run, how)
    expect(report.steps.map(({ kind, done, left }) => [kind, done, left])).toEqual(
      [
        'tighten-mode',
        'rotate-index',
        'repair-transcript',
        'archive-transcript',
        'archive-transcript',
        'archive-transcript',
        'settle-entry',
        'drop-entry',
      ].map((kind) => [kind, true, null]),
    )
    expect(treeOf(scratch.home.dir)).toEqual(before)
    expect(before['agents/main/sessions/a.jsonl']).toMatch(/^640 .* 8 1777630272345000 /)
  })

  it('does nothing the second time', async () => {
    await using scratch = await Scratch.open()
    const { run, before } = await everything(scratch)
    await undoRun(scratch.home, run, how)
    expect(await undoRun(scratch.home, run, how)).toMatchObject({ steps: [], already: 8 })
    expect(treeOf(scratch.home.dir)).toEqual(before)
  })

  it('is shown first by the same eyes', async () => {
    await using scratch = await Scratch.open()
    const { run } = await everything(scratch)
    writeFileSync(scratch.path('b.jsonl'), 'somebody else')
    const before = treeOf(scratch.home.dir)
    const shown = await undoRun(scratch.home, run, { ...how, dryRun: true })
    expect(treeOf(scratch.home.dir)).toEqual(before)
    const done = await undoRun(scratch.home, run, how)
    expect(shown.steps.map((step) => ({ ...step, done: step.left === null }))).toEqual(done.steps)
  })

  it('merges entries into an index that has moved on, and leaves those that others have changed', async () => {
    await using scratch = await Scratch.open()
    const { run } = await everything(scratch)
    writeFileSync(scratch.path('sessions.json'), index({ one: '{"n":5}', three: '[9]', four: '{"new": true}' }))
    const report = await undoRun(scratch.home, run, how)
    const left = report.steps.filter(({ done }) => !done)
    expect(left.map(({ kind, left: because }) => [kind, because])).toEqual([
      ['settle-entry', 'entries that have changed since were left: three'],
    ])
    const merged = readFileSync(scratch.path('sessions.json'), 'utf8')
    expect(merged).toContain('"one": {"n":5},\n  "three": [9],\n  "four": {"new": true},\n  "two": ')
    expect(JSON.parse(merged)).toMatchObject({ two: { n: 2 } })
  })

  it('leaves alone what somebody has changed, and says so', async () => {
    await using scratch = await Scratch.open()
    const { run } = await everything(scratch)
    writeFileSync(scratch.path('a.jsonl'), 'a new one')
    writeFileSync(scratch.path('broken.jsonl'), 'whole and more')
    writeFileSync(scratch.path('new.bak'), 'newer')
    chmodSync(scratch.path('open.txt'), 0o400)
    rmSync(scratch.path('sessions.json'))
    const { steps } = await undoRun(scratch.home, run, how)
    expect(steps.filter(({ done }) => !done).map(({ path, left }) => [basename(path), left])).toEqual([
      ['open.txt', 'its mode has been changed since'],
      ['new.bak', 'it has been changed since'],
      ['broken.jsonl', 'it has been changed since'],
      ['a.jsonl', 'something else has its name now'],
      ['sessions.json', 'it is gone'],
      ['sessions.json', 'it is gone'],
    ])
    expect(readFileSync(scratch.path('a.jsonl'), 'utf8')).toBe('a new one')
    rmSync(scratch.path('a.jsonl'))
    expect((await undoRun(scratch.home, run, how)).steps.filter(({ done }) => done)).toMatchObject([{ left: null }])
    expect(readFileSync(scratch.path('a.jsonl'), 'utf8')).toBe('a.jsonl\n')
  })

  it('leaves an index that cannot be read', async () => {
    await using scratch = await Scratch.open()
    const { run } = await everything(scratch)
    writeFileSync(scratch.path('sessions.json'), '{"torn')
    const { steps } = await undoRun(scratch.home, run, how)
    expect(steps.filter(({ done }) => !done).map(({ kind }) => kind)).toEqual(['settle-entry', 'drop-entry'])
    expect(readFileSync(scratch.path('sessions.json'), 'utf8')).toBe('{"torn')
  })

  it('does not touch the index, nor what a gateway may be at work on, while one runs', async () => {
    await using scratch = await Scratch.open()
    const { run, before } = await everything(scratch)
    const report = await undoRun(scratch.home, run, { ...how, gatewayNow: async () => running })
    expect(report.steps.filter(({ done }) => !done).map(({ kind }) => kind)).toEqual([
      'repair-transcript',
      'settle-entry',
      'drop-entry',
    ])
    expect((await undoRun(scratch.home, run, how)).steps.every(({ done }) => done)).toBe(true)
    expect(treeOf(scratch.home.dir)).toEqual(before)
  })

  it('asks again for the gateway, which may have been started while files were put back', async () => {
    await using scratch = await Scratch.open()
    const { run } = await everything(scratch)
    let nowMs = 0
    const answers = [stopped, stopped]
    const slow = {
      ...clock,
      steadyMs: () => {
        nowMs += 600
        return nowMs
      },
    }
    const gatewayNow = async () => answers.shift() ?? running
    const report = await undoRun(scratch.home, run, { ...how, clock: slow, gatewayNow })
    expect(report.steps.filter(({ done }) => !done).map(({ kind }) => kind)).toEqual(['settle-entry', 'drop-entry'])
    expect(report.gateway).toEqual(running)
  })

  it('puts back one file, and makes its directory again', async () => {
    await using scratch = await Scratch.open()
    const { run } = await everything(scratch)
    rmSync(scratch.sessions, { recursive: true })
    const report = await undoRun(scratch.home, run, { ...how, only: new Set([4]) })
    expect(report.steps).toMatchObject([{ path: scratch.path('b.jsonl'), done: true }])
    expect(existsSync(scratch.path('a.jsonl'))).toBe(false)
    await expect(undoRun(scratch.home, run, { ...how, only: new Set([99]) })).rejects.toMatchObject({
      code: 'ARCHIVE_NOT_FOUND',
    })
  })

  it('holds when the home has been moved', async () => {
    await using scratch = await Scratch.open()
    await using other = await Scratch.open()
    const { run, before } = await everything(scratch)
    rmSync(other.home.dir, { recursive: true })
    renameSync(scratch.home.dir, other.home.dir)
    expect((await undoRun(other.home, run, how)).steps.every(({ done }) => done)).toBe(true)
    expect(treeOf(other.home.dir)).toEqual(before)
  })
})

describe('a manifest that is not ours', () => {
  it.each([
    ['names a file outside', (line: object) => ({ ...line, path: '../../../../../../etc/holdfast-was-here' })],
    ['names an absolute path', (line: object) => ({ ...line, path: '/tmp/holdfast-was-here' })],
    ['names a file of ours', (line: object) => ({ ...line, path: 'holdfast/lock2' })],
  ])('that %s changes nothing there', async (_, forge) => {
    await using scratch = await Scratch.open()
    const { run } = await everything(scratch)
    const manifest = scratch.at(`holdfast/archives/${run}/manifest.jsonl`)
    const lines = readFileSync(manifest, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    writeFileSync(
      manifest,
      lines.map((line) => `${JSON.stringify(line.type === 'take' ? forge(line) : line)}\n`).join(''),
    )
    const { steps } = await undoRun(scratch.home, run, how)
    expect(steps.filter(({ done }) => !done)).toHaveLength(3)
    for (const path of ['/tmp/holdfast-was-here', '/etc/holdfast-was-here', scratch.at('holdfast/lock2')])
      expect(existsSync(path)).toBe(false)
  })

  it.each([
    ['another version', (text: string) => `${text}{"type":"new thing","step":1}\n`],
    ['a line that is no JSON in the middle', (text: string) => text.replace('{"type":"take"', '{"type":take')],
    ['a report without an announcement', (text: string) => `${text}{"type":"undone","step":77,"atMs":1}\n`],
    ['no beginning', (text: string) => text.slice(text.indexOf('\n') + 1)],
    ['the beginning of another run', (text: string) => text.replace(/"run":"\d/, '"run":"3')],
  ])('with %s is refused', async (_, damage) => {
    await using scratch = await Scratch.open()
    const { run } = await everything(scratch)
    const manifest = scratch.at(`holdfast/archives/${run}/manifest.jsonl`)
    writeFileSync(manifest, damage(readFileSync(manifest, 'utf8')))
    const before = treeOf(scratch.home.dir)
    await expect(undoRun(scratch.home, run, how)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
    expect(treeOf(scratch.home.dir)).toEqual(before)
  })

  it('makes no file run as its owner, whatever the manifest says', async () => {
    await using scratch = await Scratch.open()
    const { run } = await everything(scratch)
    const manifest = scratch.at(`holdfast/archives/${run}/manifest.jsonl`)
    const text = readFileSync(manifest, 'utf8')
    const changed = text
      .replaceAll(/"mode":\d+/g, `"mode":${0o6755}`)
      .replace(/"was":\d+,"will"/, `"was":${0o6755},"will"`)
    writeFileSync(manifest, changed)
    await undoRun(scratch.home, run, how)
    for (const name of ['a.jsonl', 'sessions.json', 'open.txt'])
      expect(lstatSync(scratch.path(name)).mode & 0o7777, name).toBe(0o755)
  })

  it('keeps archives whose manifest has lost its lines', async () => {
    await using scratch = await Scratch.open()
    const { run } = await everything(scratch)
    const bundles = () =>
      ['0001.zst', '0002.zst'].map((name) => readFileSync(scratch.at(`holdfast/archives/${run}/${name}`)))
    const manifest = scratch.at(`holdfast/archives/${run}/manifest.jsonl`)
    const text = readFileSync(manifest, 'utf8')
    const before = bundles()
    for (const end of [text.indexOf('\n', text.indexOf('"take"')) + 1, text.indexOf('\n') + 50]) {
      writeFileSync(manifest, text.slice(0, end))
      await using other = beginRun(scratch.home, 'clean', { clock })
      await other.hold()
      expect(bundles()).toEqual(before)
    }
    const rules = { archiveMs: 1, archiveBytesMax: null }
    const later = { ...clock, nowMs: () => clock.nowMs() + 1e10 }
    await expireArchives(scratch.home, rules, { clock: later, dryRun: false })
    expect(bundles()).toEqual(before)
  })

  it('with a damaged archive puts nothing wrong in its place', async () => {
    await using scratch = await Scratch.open()
    const { run } = await everything(scratch)
    for (const name of ['0001.zst', '0002.zst']) {
      const bundle = scratch.at(`holdfast/archives/${run}/${name}`)
      const data = readFileSync(bundle)
      for (let at = 0; at < data.length; at += 40) data[at] = (data[at] ?? 0) ^ 0xff
      writeFileSync(bundle, data)
    }
    const { steps } = await undoRun(scratch.home, run, how)
    const left = steps.filter(({ done }) => !done)
    expect(left.length).toBeGreaterThan(3)
    for (const step of left) expect(step.left).toContain('The archive is not what its manifest says')
    expect(existsSync(scratch.path('big.jsonl'))).toBe(false)
  })
})
