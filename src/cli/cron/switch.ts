import type { Job } from '../../model/jobs.ts'
import { type CommandOptions, command } from '../options.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { dueText } from './due.ts'
import { jobPath } from './show.ts'

export function cronEnable(terminal: Terminal) {
  return switching(terminal, 'enable', true, 'Switch a job on: it is due next from now on')
}

export function cronDisable(terminal: Terminal) {
  return switching(terminal, 'disable', false, 'Switch a job off: nothing is due, and nothing is missed')
}

function switching(terminal: Terminal, name: string, enabled: boolean, description: string) {
  return command(name, description, [`holdfast cron ${name} morning`])
    .argument('<id>', 'the job, as `holdfast cron list` shows it')
    .action(async (id: string, options: CommandOptions) => {
      await using api = await reach('write', options, terminal)
      const job = await api.call<Job>('PATCH', jobPath(id), { enabled })
      if (options.json === true) return await terminal.printJson(job)
      await terminal.print(enabled ? `Job ${id} is due next at ${dueText(job)}.` : `Job ${id} is switched off.`)
    })
}
