import type { Job } from '../../model/jobs.ts'
import { type CommandOptions, command, wholeNumber } from '../options.ts'
import { ago, count, moment } from '../print/words.ts'
import { readList } from '../reach/pages.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

interface ListOptions extends CommandOptions {
  limit: number
  all?: true
}

export function cronList(terminal: Terminal) {
  return command('list', 'The jobs: when they are due, when they ran last, and how that ended', [
    'holdfast cron list',
    'holdfast cron list --all --json',
  ])
    .option('--limit <n>', 'how many', wholeNumber, 100)
    .option('--all', 'all of them')
    .action(async (options: ListOptions) => {
      await using api = await reach('read', options, terminal)
      const limit = options.all === true ? Number.POSITIVE_INFINITY : options.limit
      const listing = await readList<Job>(api, '/v1/cron', {}, limit)
      if (options.json === true) return await terminal.printJson(listing)
      if (listing.items.length === 0)
        return await terminal.print('There are no jobs. Make one with `holdfast cron add`.')
      await printJobs(terminal, listing.items)
      if (listing.more) terminal.note(`The first ${count(limit, 'job')}; --all shows every one.`)
    })
}

async function printJobs(terminal: Terminal, jobs: readonly Job[]): Promise<void> {
  const nowMs = terminal.outside.clock.nowMs()
  await terminal.printTable(jobs, [
    { title: 'JOB', text: ({ id }) => id, shrinks: true },
    { title: 'SCHEDULE', text: ({ schedule }) => schedule },
    { title: 'ZONE', text: ({ timeZone }) => timeZone },
    { title: 'NEXT', text: nextText },
    { title: 'LAST', text: ({ lastStartedAtMs }) => (lastStartedAtMs === null ? '' : ago(lastStartedAtMs, nowMs)) },
    { title: 'STATUS', text: statusText },
    { title: 'MISSED', text: ({ missedTotal }) => String(missedTotal), align: 'right' },
  ])
}

function nextText({ enabled, nextAtMs }: Job): string {
  if (!enabled) return 'off'
  return nextAtMs === null ? 'never' : moment(nextAtMs)
}

export function statusText({ lastTurnId, lastStatus }: Job): string {
  return lastStatus ?? (lastTurnId === null ? 'has not run' : 'no longer kept')
}
