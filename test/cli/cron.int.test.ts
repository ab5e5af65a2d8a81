import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { transcriptOf } from './golden.ts'
import { normalise } from './normalise.ts'
import { holdfast, start } from './program.ts'

let cwd: string
beforeAll(async () => {
  cwd = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-cron-')))
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

async function expectGolden(scenario: string, lines: readonly string[]): Promise<void> {
  const text = normalise(await transcriptOf(lines, { cwd }), { folder: cwd })
  await expect(text).toMatchFileSnapshot(new URL(`golden/${scenario}.txt`, import.meta.url).pathname)
}

it('jobs are made, shown, switched, run and removed, with a gateway and without', async () => {
  await expectGolden('cron-help', ['cron --help', 'cron add --help'])
  const gateway = start(['serve', '--port', '0', '--log-level', 'error'], { cwd, stdin: '' })
  await gateway.says('Ctrl-C stops it')
  await expectGolden('cron', [
    'cron list',
    'cron add "0 7 * * 1-5" "What is on today?" --name "Morning report" --zone Europe/Vienna',
    'cron add @daily "Sum up" --id sums --missed skip --disabled --deliver-to telegram:42 --instructions "be brief"',
    'cron add @daily "Sum up" --id sums',
    'cron add "0 0 30 2 *" "Never"',
    'cron add "0 7 * *" "Too short"',
    'cron add "0 7 * * *" "Nowhere" --zone Europe/Atlantis',
    'cron add @daily "Sum up" --params [1]',
    'cron list',
    'cron show sums',
    'cron enable sums',
    'cron disable sums',
    'cron run morning-report',
    'cron run nothing',
    'cron remove sums',
    'cron remove sums',
  ])
  await expect
    .poll(async () => (await holdfast(['cron', 'list'], { cwd })).stdout, { timeout: 15_000 })
    .toMatch(/^morning-report .* done +0$/m)
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toMatchObject({ code: 0 })
  await expectGolden('cron-without-gateway', [
    'cron run morning-report',
    'cron run morning-report',
    'cron add "0 8 * * *" "What is on today?" --id morning-report --replace',
    'cron show morning-report',
  ])
  const { stdout } = await holdfast(['cron', 'list', '--json'], { cwd })
  expect(JSON.parse(stdout).items).toMatchObject([
    { id: 'morning-report', schedule: '0 8 * * *', lastStatus: 'queued' },
  ])
})
