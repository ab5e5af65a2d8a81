import { afterEach, beforeEach, expect, it } from 'vitest'
import { thisProgram } from '../../../src/host/program.ts'
import { transcriptOf } from '../../cli/golden.ts'
import { normalise } from '../../cli/normalise.ts'
import { Bot, botKey } from '../bot.ts'

const dayMs = 24 * 3_600_000
/** Of no process: the kernel gives no id above 4,194,304. */
const nobody = 4_194_999

let bot: Bot
beforeEach(() => {
  bot = new Bot({
    locks: [{ of: botKey, pid: nobody, ageMs: 3 * dayMs }],
    leftovers: [{ kind: 'deleted', ageMs: 200 * dayMs }],
  })
})
afterEach(() => bot[Symbol.dispose]())

async function expectGolden(scenario: string, lines: readonly string[]): Promise<void> {
  const { node, script } = thisProgram()
  const text = await transcriptOf(lines, { cwd: bot.top, env: { HOME: bot.top } })
  const plain = normalise(text, { ground: bot.top, node, holdfast: script }).replace(
    /none of \d+ processes/g,
    'none of <n> processes',
  )
  await expect(plain).toMatchFileSnapshot(new URL(`../../cli/golden/${scenario}.txt`, import.meta.url).pathname)
}

it('what they can do is told', async () => {
  await expectGolden('keep-help', ['keep --help'])
  await expectGolden('install-help', ['install --help', 'uninstall --help'])
  await expectGolden('rescue-help', ['rescue --help'])
})

it('a schedule is shown as it would be written', () =>
  expectGolden('install-dry-run', [
    'install --systemd --prestart openclaw-gateway --dry-run',
    'install --cron --dry-run',
    'install --launchd --dry-run',
    'install --cron --dry-run --json',
    'uninstall --systemd --dry-run',
    'install',
    'install --cron --prestart openclaw-gateway',
    'install --systemd --prestart "../evil" --dry-run',
  ]))

it('what keeps a bot from answering is told, and what would be done', () =>
  expectGolden('rescue-dry-run', [
    `rescue --dry-run --openclaw ${bot.openclaw}`,
    `rescue --dry-run --openclaw ${bot.openclaw} --json`,
    'rescue --dry-run --home nowhere',
  ]))

it('a keeper from a crontab does what is due and leaves a note, and the status says that none is resident', () =>
  expectGolden('keep-once', ['keep --status', 'keep --once --log keep.log', 'keep --status', 'keep --port soon']))
