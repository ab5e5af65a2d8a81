import { installedHooks, removeSchedule } from '../../../openclaw/schedule/apply.ts'
import { planSchedule } from '../../../openclaw/schedule/plan.ts'
import { command } from '../../options.ts'
import type { Terminal } from '../../terminal.ts'
import { runIn } from './install.ts'
import { addScheduleOptions, requestOf, type ScheduleOptions } from './request.ts'

export function uninstall(terminal: Terminal) {
  const each = command('uninstall', 'Take away what `install` has written, and nothing else', [
    'holdfast uninstall --systemd',
    'holdfast uninstall --cron --dry-run',
  ])
  return addScheduleOptions(each).action(async (options: ScheduleOptions) => {
    const request = await requestOf({ ...options, home: [], agent: [] }, terminal, 'none needed')
    const plan = planSchedule(request)
    const hooks = request.kind === 'systemd' ? installedHooks(request.folder) : []
    const whole = { ...plan, files: [...plan.files, ...hooks] }
    if (options.dryRun === true) {
      const paths = whole.files.map(({ path }) => path)
      if (options.json === true) return await terminal.printJson({ files: paths, crontab: plan.crontab !== null })
      return await terminal.print('Would take away, where it is there:', ...paths.map((path) => `  ${path}`))
    }
    const report = await removeSchedule(whole, runIn(terminal))
    if (options.json === true) return await terminal.printJson(report)
    for (const remark of report.remarks) terminal.note(remark)
    for (const path of report.removed) await terminal.print(`removed ${path}`)
    if (report.crontab === 'removed') await terminal.print('took our line out of the crontab')
    if (report.unchanged) await terminal.print('Nothing of ours was there.')
  })
}
