import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Ground, unpackFixture } from '../openclaw/unpack.ts'
import { transcriptOf } from './golden.ts'
import { normalise } from './normalise.ts'
import { holdfast } from './program.ts'

let ground: Ground
beforeAll(() => {
  ground = new Ground()
})
afterAll(() => ground[Symbol.dispose]())

async function expectGolden(scenario: string, lines: readonly string[]): Promise<void> {
  const text = normalise(await transcriptOf(lines, { cwd: ground.root }), { folder: ground.root })
  await expect(text).toMatchFileSnapshot(new URL(`golden/${scenario}.txt`, import.meta.url).pathname)
}

it('a home is brought over, and given back', async () => {
  unpackFixture('2026.5.18', ground.root)
  const { dir } = { dir: join(ground.root, 'home-2026.5.18/.openclaw') }
  const folder = join(dir, 'agents/main/sessions')
  renameSync(join(folder, '816cd7a8-68ae-4c62-9074-02f6f4f98a0b.jsonl'), join(dir, 'moved-away'))
  await expectGolden('import', [
    'import --help',
    'export --help',
    'import --home nowhere',
    'import --home home-2026.5.18 --dry-run --limit 3',
    'import --home home-2026.5.18',
    'import --home home-2026.5.18 --agent work',
    'sessions show agent:work:main --limit 3',
    'export --to out --agent work --dry-run',
    'export --to out --agent work',
    'export --to out --agent work',
    'export --to out agent:main:nobody',
  ])
  const file = join(ground.root, 'file')
  writeFileSync(file, '')
  const { code, stderr } = await holdfast(['export', '--to', join(file, 'out'), '--json'], { cwd: ground.root })
  expect({ code, error: JSON.parse(stderr).error.code }).toEqual({ code: 1, error: 'FILE_EXISTS' })
})

it('what cannot be brought over is told, and programs are told the same', async () => {
  const { dir } = unpackFixture('2026.9.6', ground.root)
  writeFileSync(join(dir, 'agents', 'work', 'agent', 'openclaw-agent.sqlite'), 'no database')
  const asked = ['import', '--home', dir, '--home', 'nowhere', '--data', 'other', '--json']
  const { code, stdout } = await holdfast(asked, { cwd: ground.root })
  expect(code).toBe(1)
  const { homes } = JSON.parse(stdout)
  const failed = { dir: 'nowhere', sessions: [], totals: null, error: { code: 'HOME_NOT_FOUND' } }
  expect(homes).toMatchObject([{ generation: 'sqlite', dryRun: false, totals: { imported: 15, left: 0 } }, failed])
  expect(homes[0].leftOut).toContainEqual({ what: 'agent', name: 'work', because: expect.stringContaining('damaged') })
})
