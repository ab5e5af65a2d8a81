import { afterEach, beforeEach, expect, it } from 'vitest'
import { transcriptOf } from '../../cli/golden.ts'
import { normalise } from '../../cli/normalise.ts'
import { Bot, botKey } from '../bot.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Of no process: the kernel gives no id above 4,194,304. */
const nobody = 4_194_999

let bot: Bot
beforeEach(() => {
  bot = new Bot({
    sessions: [
      { key: botKey },
      { key: 'agent:main:telegram:direct:43', ageMs: 12 * dayMs },
      { key: 'agent:main:telegram:group:-100', ageMs: 40 * dayMs },
      { key: 'agent:main:cron:report:run:1', ageMs: 2 * dayMs },
      { key: 'agent:main:telegram:direct:44', ageMs: 3 * dayMs, status: 'running' },
      { key: 'agent:main:telegram:direct:45', ageMs: hourMs, status: 'running' },
    ],
    leftovers: [
      { kind: 'deleted', ageMs: 200 * dayMs },
      { kind: 'temporary', ageMs: dayMs },
    ],
    locks: [{ of: botKey, pid: nobody, ageMs: 3 * dayMs }],
  })
})
afterEach(() => bot[Symbol.dispose]())

async function expectGolden(scenario: string, lines: readonly string[]): Promise<void> {
  const text = await transcriptOf(lines, { cwd: bot.top, env: { HOME: bot.top } })
  const plain = normalise(text, { ground: bot.top })
    .replace(/none of \d+ processes/g, 'none of <n> processes')
    .replace(/\d{8}T\d{6}Z-(clean|prestart)-[0-9a-f]{8}/g, '<run>')
    .replace(/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d[.-]\d{3}Z/g, '<time>')
    .replace(/\b\d+ B\b/g, '<size>')
  await expect(plain).toMatchFileSnapshot(new URL(`../../cli/golden/${scenario}.txt`, import.meta.url).pathname)
}

it('what they can do is told', async () => {
  await expectGolden('clean-help', ['clean --help'])
  await expectGolden('prestart-help', ['prestart --help'])
})

it('what cleaning would let go is shown first, then it goes, then nothing is left to go', () =>
  expectGolden('clean', [
    'clean',
    'clean --mode enforce --dry-run',
    'clean --mode enforce',
    'clean --mode enforce',
    'clean --mode off',
    'clean --idle soon',
    'clean --home nowhere',
  ]))

it('what a start is spared is told', () =>
  expectGolden('prestart', ['prestart --dry-run', 'prestart', 'prestart', 'prestart --home nowhere']))
