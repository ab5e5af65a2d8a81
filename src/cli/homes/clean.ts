import { Option } from 'commander'
import { runCommand } from '../../host/commands.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { formatSize } from '../../model/units.ts'
import { expireArchives } from '../../openclaw/changes/archives/expire.ts'
import type { StepReport } from '../../openclaw/changes/run.ts'
import { type Cleaned, cleanHome } from '../../openclaw/clean/clean.ts'
import type { ForgetSession } from '../../openclaw/clean/forget.ts'
import { activeRoute, sendWarning, warningText } from '../../openclaw/clean/warning.ts'
import { shellWord } from '../../openclaw/doctor/finding.ts'
import { forgetSession } from '../../openclaw/gateway/delete-entry.ts'
import type { GatewayFacts } from '../../openclaw/gateway/running.ts'
import type { Home } from '../../openclaw/home/home.ts'
import { type HomePolicy, type PolicyOverrides, unfollowed } from '../../openclaw/home/policy.ts'
import { command, wholeNumber } from '../options.ts'
import { exitCodes } from '../outside.ts'
import { visibleLine } from '../print/visible.ts'
import { count } from '../print/words.ts'
import type { Terminal } from '../terminal.ts'
import { gatewayLine } from './doctor-lines.ts'
import { type Failed, failedNote, findEach, forEach } from './each.ts'
import { gatewayFor, outsideFor } from './ground.ts'
import { cleanByGateway, openclawFor } from './openclaw.ts'
import { addHomeOptions, type HomeOptions } from './options.ts'
import { Progress } from './progress.ts'
import { printSteps } from './steps.ts'
import { duration, durationOrNever, size } from './values.ts'

interface CleanOptions extends HomeOptions {
  docker?: true
  mode?: HomePolicy['mode']
  idle?: number
  maxEntries?: number
  cronRuns?: number | null
  budget?: number
  trustClock?: true
  throughGateway?: true
  warnSession?: true
  openclaw?: string
}

export function clean(terminal: Terminal) {
  return addHomeOptions(
    command('clean', 'Archive what a home need not keep: idle sessions, scheduled runs, what is left over', [
      'holdfast clean                              show what would go',
      'holdfast clean --mode enforce --home /srv/bot/.openclaw',
      'holdfast clean --mode enforce --idle 14d --dry-run',
    ])
      .option('--docker', 'look into what containers have mounted')
      .addOption(
        new Option(
          '--mode <mode>',
          'warn shows what would go, enforce archives it (default: as the home says, else warn)',
        ).choices(['off', 'warn', 'enforce']),
      )
      .option('--idle <duration>', 'sessions unused for longer go (default: as the home says, else 5d)', duration)
      .option('--max-entries <n>', 'most entries of an index (default: as the home says, else 500)', wholeNumber)
      .option(
        '--cron-runs <duration>',
        'scheduled runs go after this, or "never" (default: as the home says, else 24h)',
        durationOrNever,
      )
      .option(
        '--budget <size>',
        'most that all files of an agent may take (default: as the home says, else no limit)',
        size,
      )
      .option('--trust-clock', 'go by the clock although files are from the future')
      .option('--through-gateway', 'a running gateway takes entries out itself, where its release can do that safely')
      .option('--warn-session', 'in the mode warn, send a line to the chat of the session that was used last')
      .option('--openclaw <path>', "the gateway's own command (default: that of the running gateway, else on PATH)"),
  ).action(async (options: CleanOptions) => {
    const { homes, failed } = await findEach(options, terminal, { overrides: overridesOf(options) })
    const done = await forEach(homes, failed, async (home) =>
      warned(await cleanOne(home, options, terminal), options, terminal),
    )
    if (failed.length > 0 || done.some(isLeft)) terminal.exitCode = exitCodes.failed
    if (options.json === true)
      return await terminal.printJson({ homes: [...done.map(jsonOf), ...failed.map(failedJson)] })
    for (const [at, cleaned] of done.entries()) {
      if (at > 0) await terminal.print('')
      await printHome(cleaned, options, done.length > 1, terminal)
    }
    for (const each of failed) terminal.note(failedNote(each))
  })
}

async function cleanOne(home: Home, options: CleanOptions, terminal: Terminal): Promise<Cleaned> {
  const enforced = home.policy.mode === 'enforce' && options.dryRun !== true
  const cleaned =
    home.generation === 'sqlite'
      ? await cleanDatabaseHome(home, enforced, options, terminal)
      : await cleanByUs(home, options, terminal)
  if (home.policy.mode === 'off') return cleaned
  try {
    const expired = await expireArchives(home, home.policy, { clock: terminal.outside.clock, dryRun: !enforced })
    return { ...cleaned, steps: [...cleaned.steps, ...expired] }
  } catch (error) {
    if (!isHoldfastError(error, 'HOME_BUSY')) throw error
    return { ...cleaned, notes: [...cleaned.notes, `Archives that have expired are left: ${error.facts.because}.`] }
  }
}

async function cleanByUs(home: Home, options: CleanOptions, terminal: Terminal): Promise<Cleaned> {
  const progress = new Progress(home.dir, 'steps', terminal)
  const forgetWith = async (gateway: GatewayFacts): Promise<ForgetSession> => {
    const openclaw = await openclawFor(home, gateway, options.openclaw, terminal)
    return (session) => forgetSession(openclaw, session, runCommand)
  }
  const how = {
    dryRun: options.dryRun === true,
    trustClock: options.trustClock === true,
    throughGateway: options.throughGateway === true ? forgetWith : (false as const),
  }
  try {
    return await cleanHome(home, how, {
      ...outsideFor(home, terminal),
      told: (step, of) => progress.show(step, of),
    })
  } finally {
    progress.clear()
  }
}

async function cleanDatabaseHome(
  home: Home,
  enforced: boolean,
  { agent: agents, openclaw }: CleanOptions,
  terminal: Terminal,
): Promise<Cleaned> {
  const gateway = await gatewayFor(home, terminal)
  const told = { home, gateway, lookedAtMs: terminal.outside.clock.nowMs(), enforced, notes: [], manifest: null }
  return { ...told, steps: await cleanByGateway(home, { do: enforced, agents, openclaw }, gateway, terminal) }
}

/** Tells the chat of the active session what waits, when that is asked for. */
async function warned(cleaned: Cleaned, options: CleanOptions, terminal: Terminal): Promise<Cleaned> {
  const { home, gateway, steps, notes } = cleaned
  const text = home.policy.mode === 'warn' && options.warnSession === true ? warningText(steps) : null
  if (text === null || options.dryRun === true) return cleaned
  const route = await activeRoute(home, terminal.outside.clock.nowMs())
  if (route === null) return { ...cleaned, notes: [...notes, 'No session has a chat that a warning could be sent to.'] }
  const told = (note: string): Cleaned => ({ ...cleaned, notes: [...notes, note] })
  try {
    await sendWarning(await openclawFor(home, gateway, options.openclaw, terminal), route, text, runCommand)
    return told(`A warning was sent to the chat of the session that was used last (${route.channel}).`)
  } catch (error) {
    if (!isHoldfastError(error, 'OPENCLAW_FAILED') && !isHoldfastError(error, 'OPENCLAW_MISSING')) throw error
    terminal.exitCode = exitCodes.failed
    return told(`The warning was not sent: ${error.facts.because}.`)
  }
}

function isLeft({ enforced, steps }: Cleaned): boolean {
  return enforced && steps.some(({ left }) => left !== null)
}

function jsonOf({ home, enforced, steps, notes, manifest, gateway }: Cleaned): object {
  const mode = home.policy.mode === 'enforce' && !enforced ? 'dry-run' : home.policy.mode
  return { dir: home.dir, mode, steps, manifest, notes, gateway: gateway.state }
}

function failedJson({ dir, error }: Failed): object {
  return { dir, mode: null, steps: [], manifest: null, notes: [], gateway: null, error }
}

async function printHome(cleaned: Cleaned, options: CleanOptions, several: boolean, terminal: Terminal): Promise<void> {
  const { home, enforced, steps, notes, manifest } = cleaned
  await terminal.print(terminal.paint('bold', visibleLine(home.dir)), `  ${visibleLine(stateLine(cleaned))}`)
  await printSteps(home.dir, steps, enforced, terminal)
  if (notes.length > 0) await terminal.print('', ...notes.map((note) => `  ${visibleLine(note)}`))
  await terminal.print('', ...endLines(cleaned, options, several).map((line) => `  ${visibleLine(line)}`))
  if (manifest !== null && steps.some(({ done }) => done))
    await terminal.print(`  Undo with: holdfast undo ${shellWord(manifest)}`)
}

function stateLine(cleaned: Cleaned): string {
  const { mode, sources } = cleaned.home.policy
  const from = sources.mode === undefined ? '' : ` (${sources.mode})`
  const dry = mode === 'enforce' && !cleaned.enforced ? ', but this is a dry run' : ''
  return `mode ${mode}${from}${dry}; gateway ${gatewayLine(cleaned)}`
}

function endLines({ home, steps, enforced }: Cleaned, options: CleanOptions, several: boolean): string[] {
  if (home.policy.mode === 'off') return ['Nothing is done in this mode.']
  if (steps.length === 0) return ['Nothing is to go.']
  if (enforced) {
    const done = steps.filter((step) => step.done)
    return [done.length === 0 ? 'Nothing was changed.' : `Done: ${totalOf(done)}.`]
  }
  const ready = steps.filter(({ left }) => left === null)
  if (ready.length === 0) return ['Nothing can be done now.']
  const named = several || options.home.length > 0 ? ` --home ${shellWord(home.dir)}` : ''
  const others = Object.values(overridesOf(options).sources ?? {}).filter((flag) => flag !== '--mode')
  const same = others.length === 0 ? '' : `, and ${others.join(' ')} as now`
  if (home.policy.sources.mode === unfollowed)
    return [`Nothing was changed, nor will be until openclaw.json can be followed (${totalOf(ready)}).`]
  return [`Nothing was changed. To archive it (${totalOf(ready)}): holdfast clean --mode enforce${named}${same}`]
}

function totalOf(steps: readonly StepReport[]): string {
  return `${count(steps.length, 'step')}, ${formatSize(steps.reduce((sum, { bytes }) => sum + bytes, 0))}`
}

function overridesOf({ mode, idle, maxEntries, cronRuns, budget }: CleanOptions): PolicyOverrides {
  const flags: [keyof HomePolicy & keyof HomePolicy['sources'], string, unknown][] = [
    ['mode', '--mode', mode],
    ['transcriptIdleMs', '--idle', idle],
    ['entriesMax', '--max-entries', maxEntries],
    ['cronRunMs', '--cron-runs', cronRuns],
    [
      'diskBudget',
      '--budget',
      budget === undefined ? undefined : { maxBytes: budget, lowBytes: Math.floor(budget * 0.8) },
    ],
  ]
  const given = flags.filter(([, , value]) => value !== undefined)
  return {
    ...Object.fromEntries(given.map(([rule, , value]) => [rule, value])),
    sources: Object.fromEntries(given.map(([rule, flag]) => [rule, flag])),
  }
}
