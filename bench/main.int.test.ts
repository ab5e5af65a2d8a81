import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import type { Section } from './report.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('./main.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-test-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const bench = (...args: string[]) => run(process.execPath, [program, '--quick', '--dir', directory, ...args])

describe('npm run bench', () => {
  it('measures one scenario beside its limit and its peer, says which targets are met, and leaves nothing behind', async () => {
    const { stdout } = await bench('--only', 'list-sessions', '--json')
    const { scenarios } = JSON.parse(stdout) as { scenarios: { name: string; sections: Section[] }[] }
    expect(scenarios.map(({ name }) => name)).toEqual(['list-sessions'])
    const [section] = scenarios[0]?.sections ?? []
    expect(section?.rows.map(({ role }) => role)).toEqual(['holdfast', 'peer'])
    expect(section?.rows.flatMap(({ figures }) => figures).every(({ value }) => value > 0)).toBe(true)
    expect(section?.targets.length).toBeGreaterThan(0)
    expect(readdirSync(directory)).toEqual([])
  })

  it('names the scenarios there are when it is asked for another', async () => {
    await expect(bench('--only', 'speed')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('turn-overhead'),
    })
  })
})
