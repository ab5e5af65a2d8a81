import { userInfo } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../../host/commands.ts'
import { cleanHome } from '../../openclaw/clean/clean.ts'
import { clearLocks } from '../../openclaw/clean/locks.ts'
import { shellWord } from '../../openclaw/doctor/finding.ts'
import { envOf } from '../../openclaw/gateway/command.ts'
import type { Home } from '../../openclaw/home/home.ts'
import { prestartHome } from '../../openclaw/prestart/prestart.ts'
import type { Blocker } from '../../openclaw/rescue/blockers.ts'
import { askHealth } from '../../openclaw/rescue/health.ts'
import { installationFacts } from '../../openclaw/rescue/installation.ts'
import { type Rescued, type RescueOutside, rescueHome } from '../../openclaw/rescue/rescue.ts'
import { type RestartWay, restartWay } from '../../openclaw/rescue/restart.ts'
import type { HomeFacts } from '../../openclaw/survey/facts.ts'
import { survey } from '../../openclaw/survey/survey.ts'
import { confirm } from '../confirm.ts'
import { command } from '../options.ts'
import { exitCodes } from '../outside.ts'
import { visibleLine } from '../print/visible.ts'
import { moment } from '../print/words.ts'
import type { Terminal } from '../terminal.ts'
import { type Failed, failedNote, findEach, forEach } from './each.ts'
import { outsideFor, userDirOf } from './ground.ts'
import { findOpenClawFor } from './openclaw.ts'
import { addHomeOptions, type HomeOptions } from './options.ts'
import { runIn } from './schedule/install.ts'
import { printSteps } from './steps.ts'
import { duration } from './values.ts'

interface RescueOptions extends HomeOptions {
  docker?: true
  yes?: true
  openclaw?: string
  wait?: number
  clean: boolean
}

const waitDefaultMs = 120_000
/** Longer than a start in a hurry gets: somebody waits for this and sees it. Unit: ms. */
const mendMs = 120_000
/** A gateway may drain for this long before it ends. Unit: ms. */
const stopMs = 335_000
const outputBytesMax = 1024 ** 2

export function rescue(terminal: Terminal) {
  return addHomeOptions(
    command('rescue', 'A bot does not answer: what blocks it and since when, end that, and wait until it is well', [
      'holdfast rescue --dry-run',
      'holdfast rescue --home /srv/bot/.openclaw',
      'holdfast rescue --yes --openclaw /usr/local/bin/openclaw',
    ])
      .option('--docker', 'look into what containers have mounted')
      .option('--yes', 'stop and start the gateway without asking, where nothing else helps')
      .option('--openclaw <path>', "the gateway's own command (default: that of the running gateway, else on PATH)")
      .option('--wait <duration>', 'how long a start may take (default: 2m)', duration)
      .option('--no-clean', 'do not clean up on the way'),
  ).action(async (options: RescueOptions) => {
    const { homes, failed } = await findEach(options, terminal, { overrides: { mode: 'enforce' } })
    const done = await forEach(homes, failed, async (home) => ({ home, ...(await rescueOne(home, options, terminal)) }))
    if (failed.length > 0 || done.some(isBlocked)) terminal.exitCode = exitCodes.failed
    if (options.json === true)
      return await terminal.printJson({ homes: [...done.map(jsonOf), ...failed.map(failedJson)] })
    for (const each of done) await printHome(each, options, terminal)
    for (const each of failed) terminal.note(failedNote(each))
  })
}

type Done = Rescued & { home: Home }

function rescueOne(home: Home, options: RescueOptions, terminal: Terminal): Promise<Rescued> {
  const { cwd, env } = terminal.outside
  const { wait: waitMs = waitDefaultMs } = options
  const outside = { ...outsideFor(home, terminal), told: () => {} }
  const { clock, gatewayNow } = outside
  const openclawIn = ({ gateway }: HomeFacts) => findOpenClawFor(home, gateway, options.openclaw, terminal)
  const acts: RescueOutside = {
    look: () => survey(home, 'shallow', outside),
    gatewayNow,
    health: async (facts) =>
      facts.gateway.state === 'running'
        ? await askHealth(await openclawIn(facts), runCommand)
        : { state: 'unasked', because: 'no gateway runs' },
    way: async (facts) => {
      const userDir = userDirOf(terminal)
      const openclaw = await openclawIn(facts)
      return restartWay(
        await installationFacts(home, facts.gateway, {
          platform: process.platform,
          uid: userInfo().uid,
          userDir,
          configHome: env.XDG_CONFIG_HOME || join(userDir, '.config'),
          openclaw: openclaw?.words ?? null,
          run: runIn(terminal),
        }),
      )
    },
    run: async ([file = '', ...args]) => {
      const limits = { timeLimitMs: waitMs + stopMs, outputBytesMax, env: envOf(home, env), cwd }
      const { code, stderr, timedOut } = await runCommand(file, args, limits)
      if (code === 0) return null
      return timedOut ? 'it took too long' : (reasonIn(stderr) ?? `exit code ${code}`)
    },
    agrees: async (question) => {
      if (options.yes === true) return true
      if (terminal.outside.stdin.isTTY !== true) {
        terminal.note('Nobody is there to be asked, so the gateway is left alone; say --yes.')
        return false
      }
      return await confirm(question, terminal).then(
        () => true,
        () => false,
      )
    },
    clearLocks: async ({ agents }) => {
      const locks = agents.flatMap((agent) => agent.locks)
      return await clearLocks(home, locks, { command: 'rescue', dryRun: false }, clock)
    },
    mend: () => prestartHome(home, { dryRun: false, timeLimitMs: mendMs }, outside),
    clean: async () => {
      if (!options.clean) return { steps: [], manifest: null }
      const how = { dryRun: false, trustClock: false, throughGateway: false as const }
      return await cleanHome(home, how, outside)
    },
    sleep: (ms) => clock.sleep(ms),
    steadyMs: () => clock.steadyMs(),
    tell: async (line) => terminal.note(line),
  }
  return rescueHome({ dryRun: options.dryRun === true, waitMs }, acts)
}

/** A line that names an error, else the first one. */
function reasonIn(text: string): string | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return (lines.find((line) => /error|fail/i.test(line)) ?? lines[0])?.trim() ?? null
}

function isBlocked({ remaining, health }: Done): boolean {
  return remaining.length > 0 || health.state === 'bad'
}

function jsonOf({ home, work, ...rest }: Done): object {
  const manifests = work.flatMap(({ manifest }) => (manifest === null ? [] : [manifest]))
  return { dir: home.dir, ...rest, steps: work.flatMap(({ steps }) => steps), manifests }
}

function failedJson({ dir, error }: Failed): object {
  return { dir, blockers: [], remaining: [], steps: [], manifests: [], error }
}

async function printHome(done: Done, options: RescueOptions, terminal: Terminal): Promise<void> {
  const { home, blockers, way, work, health, remaining, started } = done
  await terminal.print(terminal.paint('bold', visibleLine(home.dir)))
  if (blockers.length === 0)
    await terminal.print('  Nothing blocks it that can be seen from here.', `  ${healthLine(done)}`)
  for (const blocker of blockers) await terminal.print(...blockerLines(blocker, terminal))
  if (options.dryRun === true) {
    if (way !== null) await terminal.print('', `  ${visibleLine(wayLine(way, blockers))}`)
    return await terminal.print('', '  Nothing was changed.')
  }
  for (const { steps } of work) await printSteps(home.dir, steps, true, terminal)
  if (blockers.length === 0) return
  await terminal.print('')
  if (started) await terminal.print(`  The gateway was started again. ${healthLine(done)}`)
  if (remaining.length > 0) {
    await terminal.print('  Still in the way:')
    for (const blocker of remaining) await terminal.print(...blockerLines(blocker, terminal))
  } else if (health.state !== 'bad') await terminal.print(terminal.paint('green', '  Nothing is in the way any more.'))
  for (const { manifest } of work) {
    if (manifest !== null) await terminal.print(`  Undo with: holdfast undo ${shellWord(manifest)}`)
  }
}

/** Of a gateway that is not there, nothing is stopped. */
function wayLine({ stop, start }: RestartWay, blockers: readonly Blocker[]): string {
  const isStopped = blockers.some(({ code }) => code === 'GATEWAY_STOPPED')
  if (isStopped) return `Would start it: ${start.join(' ')}`
  return `Would stop and start it: ${[stop, start].map((words) => words.join(' ')).join('; ')}`
}

function blockerLines({ code, says, path, sinceMs, cure }: Blocker, terminal: Terminal): string[] {
  const since = sinceMs === null ? '' : `, since ${moment(sinceMs)}`
  const cures = {
    clear: 'it is cleared',
    restart: 'only a restart of the gateway ends it',
    mend: 'it is made anew while the gateway is down',
    start: 'the gateway has to be started',
    person: 'this is for you to do',
  }
  return [
    `  ${terminal.paint('red', code)}${since}: ${cures[cure]}`,
    `    ${visibleLine(says)}`,
    ...(path === null ? [] : [`    ${visibleLine(path)}`]),
  ]
}

function healthLine({ health }: Done): string {
  if (health.state === 'good') return 'Its own health check is good.'
  return health.state === 'bad'
    ? `Its health is not good: ${visibleLine(health.because)}.`
    : `Its health was not asked: ${visibleLine(health.because)}.`
}
