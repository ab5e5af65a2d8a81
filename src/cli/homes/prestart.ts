import { Option } from 'commander'
import { shellWord } from '../../openclaw/doctor/finding.ts'
import type { Home } from '../../openclaw/home/home.ts'
import type { PolicyOverrides } from '../../openclaw/home/policy.ts'
import { type Prestarted, prestartHome } from '../../openclaw/prestart/prestart.ts'
import { command } from '../options.ts'
import { exitCodes } from '../outside.ts'
import { visibleLine } from '../print/visible.ts'
import type { Terminal } from '../terminal.ts'
import { gatewayLine } from './doctor-lines.ts'
import { type Failed, failedNote, findEach, forEach } from './each.ts'
import { outsideFor } from './ground.ts'
import { addHomeOptions, type HomeOptions } from './options.ts'
import { printSteps } from './steps.ts'
import { duration, wholeOrNone } from './values.ts'

interface PrestartOptions extends HomeOptions {
  mode?: 'off' | 'warn' | 'enforce'
  timeLimit?: number
  maxResumes?: number
  resumeAge?: number
  strict?: true
}

/** A unit that waits for longer is not started by systemd (90 s), and a bot is missed after less. Unit: ms. */
const timeLimitMs = 20_000

export function prestart(terminal: Terminal) {
  return addHomeOptions(
    command('prestart', 'Put a home right before its gateway starts; what fails never keeps it from starting', [
      'holdfast prestart --dry-run                 show what would be done',
      'ExecStartPre=-/usr/bin/holdfast prestart --home /srv/bot/.openclaw',
    ])
      .addOption(
        new Option(
          '--mode <mode>',
          'whether what cleaning has left for a start is done (default: as the home says, else warn)',
        ).choices(['off', 'warn', 'enforce']),
      )
      .option('--max-resumes <n>', 'most sessions of an agent that the start goes on with (default: 5)', wholeOrNone)
      .option('--resume-age <duration>', 'only what was cut off within this is gone on with (default: 24h)', duration)
      .option('--time-limit <duration>', 'what is not begun by then is left (default: 20s)', duration)
      .option('--strict', 'end with 1 when something failed or is left'),
  ).action(async (options: PrestartOptions) => {
    const { homes, failed } = await findEach(options, terminal, { overrides: overridesOf(options) })
    const done = await forEach(homes, failed, (home) => prestartOne(home, options, terminal))
    const isLeft = done.some(({ steps }) => options.dryRun !== true && steps.some(({ left }) => left !== null))
    if (options.strict === true && (failed.length > 0 || isLeft)) terminal.exitCode = exitCodes.failed
    if (options.json === true)
      return await terminal.printJson({
        homes: [...done.map((each) => jsonOf(each, options)), ...failed.map(failedJson)],
      })
    for (const [at, each] of done.entries()) {
      if (at > 0) await terminal.print('')
      await printHome(each, options, terminal)
    }
    for (const each of failed) terminal.note(failedNote(each))
  })
}

function prestartOne(home: Home, options: PrestartOptions, terminal: Terminal): Promise<Prestarted> {
  const how = { dryRun: options.dryRun === true, timeLimitMs: options.timeLimit ?? timeLimitMs }
  return prestartHome(home, how, outsideFor(home, terminal))
}

function overridesOf({ mode, maxResumes, resumeAge }: PrestartOptions): PolicyOverrides {
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(maxResumes === undefined ? {} : { resumesMax: maxResumes }),
    ...(resumeAge === undefined ? {} : { resumeAgeMs: resumeAge }),
    sources: {
      ...(mode === undefined ? {} : { mode: '--mode' }),
      ...(maxResumes === undefined ? {} : { resumesMax: '--max-resumes' }),
      ...(resumeAge === undefined ? {} : { resumeAgeMs: '--resume-age' }),
    },
  }
}

function jsonOf({ home, steps, notes, manifest, gateway }: Prestarted, { dryRun }: PrestartOptions): object {
  return {
    dir: home.dir,
    mode: dryRun === true ? 'dry-run' : 'enforce',
    steps,
    manifest,
    notes,
    gateway: gateway.state,
  }
}

function failedJson({ dir, error }: Failed): object {
  return { dir, mode: null, steps: [], manifest: null, notes: [], gateway: null, error }
}

async function printHome(each: Prestarted, options: PrestartOptions, terminal: Terminal): Promise<void> {
  const { home, steps, notes, manifest } = each
  const dry = options.dryRun === true
  await terminal.print(
    terminal.paint('bold', visibleLine(home.dir)),
    `  gateway ${visibleLine(gatewayLine(each))}${dry ? '; this is a dry run' : ''}`,
  )
  await printSteps(home.dir, steps, !dry, terminal)
  if (notes.length > 0) await terminal.print('', ...notes.map((note) => `  ${visibleLine(note)}`))
  if (steps.length === 0) await terminal.print('', '  Nothing is to be put right.')
  if (manifest !== null) await terminal.print('', `  Undo with: holdfast undo ${shellWord(manifest)}`)
}
