import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openHoldfast } from '../../src/engine/holdfast.ts'
import { parseSessionKey } from '../../src/model/keys.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import { holdfast, start } from '../cli/program.ts'
import { Server } from '../postgres/server.ts'

const page = readFileSync(new URL('../../docs/postgres.md', import.meta.url), 'utf8')
const lines = [...page.matchAll(/^holdfast (.*)$/gm)].map((match) => match[1] as string)

it('docs/postgres.md shows commands that do what it says, in its order', async () => {
  await using server = await Server.start()
  await server.query('CREATE DATABASE agents')
  await server.query("CREATE ROLE gateway LOGIN PASSWORD 'gateway'")
  const owner = server.url('agents')
  const gateway = owner.replace(/\/\/.*@/, '//gateway:gateway@')
  const here = (line: string) =>
    line
      .replace('postgres://owner@db.example.org/agents', owner)
      .replace('postgres://gateway@db.example.org/agents', gateway)
      .replace('--data /srv/holdfast --host 0.0.0.0', `--data ${server.directory}-gateway --port 0`)
      .split(' ')
  const words = ['migrate', 'serve', 'copy', 'copy', 'copy', 'migrate']
  expect(lines.map((line) => line.split(' ')[0])).toEqual(words)
  const [migrate, serve, tried, there, back, again] = lines as [string, string, string, string, string, string]
  const made = await holdfast(here(migrate), { cwd: tmpdir() })
  expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('The role gateway may do what a gateway needs')])
  expect((await holdfast(here(migrate), { cwd: tmpdir() })).stdout).toContain('is of this version already')
  const printed = await holdfast(['migrate', '--sql', '--role', 'gateway'], { cwd: tmpdir() })
  expect(printed.stdout).toContain(
    'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "holdfast" TO "gateway";',
  )
  const served = start(here(serve), { cwd: tmpdir(), env: { HOLDFAST_TOKEN: 'shown' }, stdin: '' })
  expect(await served.says('Ctrl-C stops it')).not.toContain('gateway:gateway@')
  served.signal('SIGTERM')
  expect((await served.ended).code).toBe(0)

  const cwd = mkdtempSync(join(tmpdir(), 'holdfast-docs-'))
  {
    await using engine = await openHoldfast({
      store: sqliteStore(join(cwd, '.holdfast')),
      run: async () => 'hi',
      watch: false,
    })
    const { turn } = await engine.submit({ key: parseSessionKey('agent:main:main'), messages: 'hello' })
    await engine.settled(turn.id)
  }
  const says = async (line: string) => {
    const { code, stdout, stderr } = await holdfast(here(line), { cwd })
    expect([line, code, stderr]).toEqual([line, 0, expect.any(String)])
    return stdout
  }
  expect(await says(tried)).toContain('Would be copied: 1 session. Nothing was changed.')
  expect(await says(there)).toContain('Copied and compared record by record: 1 session (2 entries).')
  expect(await says(back)).toContain('Copied and compared record by record: 1 session (2 entries).')
  expect(await says(again)).toContain('is of this version already')
  rmSync(cwd, { recursive: true })
})
