import { type Job, runKeyOf } from '../../model/jobs.ts'
import { type Message, textOf } from '../../model/messages.ts'
import { type CommandOptions, command } from '../options.ts'
import { visibleLine } from '../print/visible.ts'
import { count, moment } from '../print/words.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { dueText } from './due.ts'
import { statusText } from './list.ts'

/** Where a job is in the API. */
export const jobPath = (id: string, rest = ''): string => `/v1/cron/${encodeURIComponent(id)}${rest}`

export function cronShow(terminal: Terminal) {
  return command('show', 'One job: what it sends, when, and what became of its last run', [
    'holdfast cron show morning',
    'holdfast cron show morning --json',
  ])
    .argument('<id>', 'the job, as `holdfast cron list` shows it')
    .action(async (id: string, options: CommandOptions) => {
      await using api = await reach('read', options, terminal)
      const job = await api.call<Job>('GET', jobPath(id))
      if (options.json === true) return await terminal.printJson(job)
      await terminal.print(terminal.paint('bold', job.id), ...factsOf(job))
      for (const message of [...job.instructions, ...job.messages]) await say(terminal, message)
    })
}

async function say(terminal: Terminal, message: Message): Promise<void> {
  const lines = terminal.words(textOf(message)).split('\n')
  await terminal.print('', terminal.paint('cyan', message.role), ...lines.map((line) => `    ${line}`))
}

function factsOf(job: Job): string[] {
  const { lastMissed, lastTurnId, lastStartedAtMs, deliverTo } = job
  const rows: [string, string | null][] = [
    ['name', visibleLine(job.name)],
    ['schedule', `${job.schedule}, ${job.timeZone}`],
    ['next', job.enabled ? dueText(job) : 'switched off'],
    ['missed', `${job.missed}; ${count(job.missedTotal, 'due time')} so far`],
    [
      'last gap',
      lastMissed === null
        ? null
        : `${moment(lastMissed.fromMs)} to ${moment(lastMissed.untilMs)}: ${lastMissed.because}`,
    ],
    ['last run', lastStartedAtMs === null ? 'none' : `${moment(lastStartedAtMs)}, ${statusText(job)}`],
    ['session', lastTurnId === null ? null : runKeyOf(job, lastTurnId)],
    ['replies to', deliverTo.length === 0 ? null : deliverTo.map(visibleLine).join(', ')],
  ]
  return rows.filter(([, text]) => text !== null).map(([name, text]) => `  ${name.padEnd(10)}  ${text}`)
}
