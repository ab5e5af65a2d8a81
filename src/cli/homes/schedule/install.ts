import { Option } from 'commander'
import type { RunWords } from '../../../host/commands.ts'
import { isHoldfastError } from '../../../model/errors.ts'
import { installSchedule } from '../../../openclaw/schedule/apply.ts'
import { planSchedule, type SchedulePlan } from '../../../openclaw/schedule/plan.ts'
import { command } from '../../options.ts'
import type { Terminal } from '../../terminal.ts'
import { runHere } from '../ground.ts'
import { addScheduleOptions, requestOf, requireHost, type ScheduleOptions } from './request.ts'

export function install(terminal: Terminal) {
  const each = command('install', 'Look after homes by itself: write the schedule, start it, and check that it works', [
    'holdfast install --systemd',
    'holdfast install --systemd --prestart openclaw-gateway',
    'holdfast install --cron --home /srv/bot/.openclaw --dry-run',
    'sudo holdfast install --systemd --system --home /home/bot/.openclaw',
  ])
    .option('--prestart <unit>', "also run `holdfast prestart` before each start of the gateway's own service")
    .addOption(
      new Option(
        '--mode <mode>',
        'of cleaning, for the keeper and for `prestart` (default: as each home says, else warn)',
      ).choices(['warn', 'enforce']),
    )
    .option('--log <file>', 'where the keeper writes (default: holdfast/keep.log in the first home)')
    .option('--config <file>', 'a holdfast.json5 whose section `homes` the keeper follows')
    .option('--force', 'also inside a container')
  return addScheduleOptions(each).action(async (options: ScheduleOptions) => {
    const plan = planSchedule(await requestOf(options, terminal))
    if (options.dryRun !== true) requireHost(options)
    if (options.dryRun === true) return await show(plan, options, terminal)
    const report = await installSchedule(plan, runIn(terminal))
    if (options.json === true) return await terminal.printJson({ ...report, files: plan.files, lines: plan.crontab })
    if (report.unchanged) return await terminal.print('Everything was there already, and it works.')
    await show(plan, options, terminal)
    await terminal.print('', 'Written, started and checked. `holdfast uninstall` takes it away again.')
  })
}

async function show(plan: SchedulePlan, options: ScheduleOptions, terminal: Terminal): Promise<void> {
  if (options.json === true)
    return await terminal.printJson({ files: plan.files, lines: plan.crontab, run: plan.activate })
  for (const { path, text } of plan.files) await terminal.print(terminal.paint('bold', path), ...indented(text))
  if (plan.crontab !== null)
    await terminal.print(terminal.paint('bold', 'crontab'), ...indented(plan.crontab.join('\n')))
  for (const words of plan.activate) await terminal.print(`$ ${words.join(' ')}`)
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
}

/** A program that is not there is one that fails, and says so. */
export function runIn(terminal: Terminal): RunWords {
  return async (words) => {
    try {
      return await runHere(terminal, words, 60_000)
    } catch (error) {
      if (!isHoldfastError(error, 'COMMAND_MISSING')) throw error
      return { code: null, stdout: '', stderr: `${words[0]} is not installed` }
    }
  }
}
