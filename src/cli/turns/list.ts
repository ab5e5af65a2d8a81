import { Option } from 'commander'
import type { SessionKey } from '../../model/keys.ts'
import { type Turn, turnStatuses } from '../../model/turns.ts'
import { formatDuration } from '../../model/units.ts'
import { type CommandOptions, command, sessionKeyArgument, wholeNumber } from '../options.ts'
import { ago, count } from '../print/words.ts'
import { readList } from '../reach/pages.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

interface ListOptions extends CommandOptions {
  limit: number
  all?: true
  status?: string
  session?: SessionKey
}

export function turnsList(terminal: Terminal) {
  return command('list', 'Turns, newest first: what was asked, and how it ended', [
    'holdfast turns list',
    'holdfast turns list --status running',
    'holdfast turns list --session alice --status failed --json',
  ])
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--all', 'all of them')
    .addOption(new Option('--status <status>', 'only these').choices(turnStatuses))
    .option('--session <key>', 'only of this session', sessionKeyArgument)
    .action(async (options: ListOptions) => {
      await using api = await reach('read', options, terminal)
      const query = { status: options.status, session: options.session, order: 'newest' }
      const limit = options.all === true ? Number.POSITIVE_INFINITY : options.limit
      const listing = await readList<Turn>(api, '/v1/turns', query, limit)
      if (options.json === true) return await terminal.printJson(listing)
      const filtered = options.status !== undefined || options.session !== undefined
      if (listing.items.length === 0)
        return await terminal.print(filtered ? 'No turn fits.' : 'There are no turns yet.')
      await printTurns(terminal, listing.items)
      if (listing.more) terminal.note(`The newest ${count(limit, 'turn')}; --all shows every one.`)
    })
}

async function printTurns(terminal: Terminal, turns: readonly Turn[]): Promise<void> {
  const nowMs = terminal.outside.clock.nowMs()
  await terminal.printTable(turns, [
    { title: 'TURN', text: ({ id }) => id },
    { title: 'SESSION', text: ({ sessionKey }) => sessionKey, shrinks: true },
    { title: 'STATUS', text: ({ status, outcome }) => (outcome === null ? status : `${status}: ${outcome.code}`) },
    { title: 'LANE', text: ({ lane }) => lane },
    { title: 'CAME', text: ({ admittedAtMs }) => ago(admittedAtMs, nowMs) },
    {
      title: 'WAITED',
      text: (turn) => formatDuration((turn.startedAtMs ?? turn.settledAtMs ?? nowMs) - turn.admittedAtMs),
      align: 'right',
    },
    { title: 'RAN', text: (turn) => ranText(turn, nowMs), align: 'right' },
  ])
}

function ranText({ startedAtMs, settledAtMs }: Turn, nowMs: number): string {
  return startedAtMs === null ? '' : formatDuration((settledAtMs ?? nowMs) - startedAtMs)
}
