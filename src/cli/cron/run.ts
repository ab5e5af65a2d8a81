import type { Job } from '../../model/jobs.ts'
import type { Turn } from '../../model/turns.ts'
import { type CommandOptions, command } from '../options.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { jobPath } from './show.ts'

export function cronRun(terminal: Terminal) {
  return command('run', 'Start a run now, besides those that are due; exit code 1 while its last run goes on', [
    'holdfast cron run morning',
  ])
    .argument('<id>', 'the job, as `holdfast cron list` shows it')
    .action(async (id: string, options: CommandOptions) => {
      await using api = await reach('write', options, terminal)
      const started = await api.call<{ job: Job; turn: Turn }>('POST', jobPath(id, '/run'), {})
      if (options.json === true) return await terminal.printJson(started)
      await terminal.print(`Turn ${started.turn.id} runs in the session ${started.turn.sessionKey}.`)
      if (api.via !== 'gateway') terminal.note('No gateway runs now: it waits for the next one.')
    })
}
