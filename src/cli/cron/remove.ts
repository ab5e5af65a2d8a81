import { type CommandOptions, command } from '../options.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { jobPath } from './show.ts'

export function cronRemove(terminal: Terminal) {
  return command('remove', 'Remove a job; its sessions stay, and a run that is going goes on', [
    'holdfast cron remove morning',
  ])
    .argument('<id>', 'the job, as `holdfast cron list` shows it')
    .action(async (id: string, options: CommandOptions) => {
      await using api = await reach('write', options, terminal)
      const removed = await api.call<{ id: string }>('DELETE', jobPath(id))
      if (options.json === true) return await terminal.printJson(removed)
      await terminal.print(`Job ${removed.id} is removed. Its sessions stay.`)
    })
}
