import { Option } from 'commander'
import { sessionKinds } from '../../model/keys.ts'
import type { Session } from '../../model/sessions.ts'
import { type CommandOptions, command, wholeNumber } from '../options.ts'
import type { Column } from '../print/table.ts'
import { visibleLine } from '../print/visible.ts'
import { ago, count } from '../print/words.ts'
import { readList } from '../reach/pages.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

interface ListOptions extends CommandOptions {
  limit: number
  all?: true
  kind?: string
  agent?: string
  prefix?: string
  busy?: true
  archived?: true
}

export function sessionsList(terminal: Terminal) {
  return command('list', 'The sessions, newest activity first', [
    'holdfast sessions list',
    'holdfast sessions list --busy',
    'holdfast sessions list --kind direct --all --json',
  ])
    .option('--limit <n>', 'how many', wholeNumber, 50)
    .option('--all', 'all of them')
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(sessionKinds))
    .option('--agent <id>', 'only of this agent')
    .option('--prefix <text>', 'only keys that begin with this')
    .option('--busy', 'only with a running or waiting turn')
    .option('--archived', 'archived ones instead of open ones')
    .action(async (options: ListOptions) => {
      await using api = await reach('read', options, terminal)
      const query = {
        kind: options.kind,
        agent: options.agent,
        prefix: options.prefix,
        busy: options.busy,
        state: options.archived === true ? 'archived' : 'open',
      }
      const limit = options.all === true ? Number.POSITIVE_INFINITY : options.limit
      const listing = await readList<Session>(api, '/v1/sessions', query, limit)
      if (options.json === true) return await terminal.printJson(listing)
      if (listing.items.length === 0) return await terminal.print(emptySentence(options))
      await printSessions(terminal, listing.items)
      if (listing.more) terminal.note(`The newest ${count(limit, 'session')}; --all shows every one.`)
    })
}

function emptySentence({ kind, agent, prefix, busy, archived }: ListOptions): string {
  const filtered = [kind, agent, prefix, busy].some((filter) => filter !== undefined)
  if (filtered) return 'No session fits.'
  if (archived === true) return 'No session is archived.'
  return 'No session is open. Start one with `holdfast chat`; --archived shows what was put away.'
}

async function printSessions(terminal: Terminal, sessions: readonly Session[]): Promise<void> {
  const nowMs = terminal.outside.clock.nowMs()
  await terminal.printTable(sessions, [
    { title: 'SESSION', text: ({ key }) => key, shrinks: true },
    { title: 'KIND', text: ({ kind }) => kind },
    { title: 'ENTRIES', text: ({ head }) => head.toLocaleString('en-US'), align: 'right' },
    { title: 'ACTIVE', text: ({ activeAtMs }) => ago(activeAtMs, nowMs) },
    { title: 'NOW', text: activityOf },
    ...(sessions.some(({ title, pinned }) => title !== null || pinned) ? [titleColumn] : []),
  ])
}

const titleColumn: Column<Session> = {
  title: 'TITLE',
  text: ({ title, pinned }) => (pinned ? '(pinned) ' : '') + visibleLine(title ?? ''),
  shrinks: true,
}

function activityOf({ running, queuedTurns }: Session): string {
  const waiting = queuedTurns > 0 ? `${queuedTurns} waiting` : ''
  return [running ? 'running' : '', waiting].filter((part) => part !== '').join(', ') || 'idle'
}
