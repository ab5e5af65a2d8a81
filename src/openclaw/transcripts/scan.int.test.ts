import { execFileSync } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { file, header, user } from '../../../test/openclaw/transcripts/rows.ts'
import { Ground, unpackFixture } from '../../../test/openclaw/unpack.ts'
import { scanTranscript } from './scan.ts'

it('finds second replies in what a gateway of 2026.5.18 wrote, and nothing else', async () => {
  using ground = new Ground()
  const { dir } = unpackFixture('2026.5.18', ground.root)
  const found: Record<string, unknown> = {}
  let messages = 0
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    if (!/sessions\/[^/]+\.jsonl(\.(reset|deleted)\..*)?$/.test(name) || name.includes('.trajectory.')) continue
    const facts = await scanTranscript(dir, join(dir, name))
    expect(facts?.header?.version).toBe(3)
    messages += facts?.messages ?? 0
    if (facts?.damaged !== 0) found[basename(name).slice(0, 8)] = facts?.counts
  }
  expect(messages).toBe(300)
  expect(found).toEqual({
    '3fa77d80': { 'duplicate-reply': 2 },
    '54ec1f14': { 'duplicate-reply': 2 },
    '591a0956': { 'duplicate-reply': 5 },
    f910d8ba: { 'duplicate-reply': 2 },
  })
})

it('tells of a transcript who spoke last, and when', async () => {
  using ground = new Ground()
  const path = join(ground.root, 'a.jsonl')
  writeFileSync(path, file(header, user('a', null), user('b', 'a')))
  expect(await scanTranscript(ground.root, path)).toMatchObject({
    header: { version: 3, id: 's1', cwd: '/w', parentSession: null },
    lines: 3,
    entries: 2,
    messages: 2,
    firstAtMs: Date.parse('2026-11-21T06:00:00.000Z'),
    lastRole: 'user',
    damaged: 0,
  })
  expect(await scanTranscript(ground.root, join(ground.root, 'b.jsonl'))).toBeNull()
})

it('opens nothing that is no file of the home', async () => {
  using ground = new Ground()
  const home = join(ground.root, 'home')
  mkdirSync(join(home, 'directory.jsonl'), { recursive: true })
  execFileSync('mkfifo', [join(home, 'pipe.jsonl')])
  writeFileSync(join(ground.root, 'outside.jsonl'), file(header))
  symlinkSync(join(ground.root, 'outside.jsonl'), join(home, 'link.jsonl'))
  for (const name of ['directory.jsonl', 'pipe.jsonl', 'link.jsonl', '../outside.jsonl']) {
    await expect(scanTranscript(home, `${home}/${name}`)).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
  }
})

it('holds no line of half a gigabyte in memory, nor what goes deep', async () => {
  using ground = new Ground()
  const path = join(ground.root, 'a.jsonl')
  const descriptor = openSync(path, 'w')
  const start = writeSync(descriptor, file(header, user('a', null), `{"type":"x","data":${'['.repeat(1e6)}`))
  ftruncateSync(descriptor, start + 512 * 1024 ** 2)
  writeSync(descriptor, file('', user('b', 'somebody')), 0, null, start + 512 * 1024 ** 2)
  closeSync(descriptor)
  const program = fileURLToPath(new URL('../../../test/openclaw/programs/scan.ts', import.meta.url))
  const { facts, peakBytes } = JSON.parse(
    execFileSync(process.execPath, [program, ground.root, path], { encoding: 'utf8' }),
  )
  expect(facts.counts).toEqual({ 'oversized-line': 1, 'invalid-line': 1 })
  expect(facts.messages).toBe(2)
  expect(peakBytes).toBeLessThan(250 * 1024 ** 2)
})
