import type { SessionKey } from '../../model/keys.ts'
import type { Session } from '../../model/sessions.ts'
import { type CommandOptions, command, sessionKeyArgument, wholeNumber } from '../options.ts'
import { visibleLine } from '../print/visible.ts'
import { count, moment } from '../print/words.ts'
import { sessionPath } from '../reach/api.ts'
import { readNewest } from '../reach/entries.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { printEntries } from './entries.ts'
import { transcriptOf } from './transcript.ts'

interface ShowOptions extends CommandOptions {
  limit: number
  all?: true
  transcript?: number
}

export function sessionsShow(terminal: Terminal) {
  return command('show', 'One session and its newest entries', [
    'holdfast sessions show alice',
    'holdfast sessions show agent:main:telegram:direct:42 --limit 100',
    'holdfast sessions show alice --transcript 1 --all',
  ])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .option('--limit <n>', 'how many entries', wholeNumber, 20)
    .option('--all', 'all entries')
    .option('--transcript <n>', 'an earlier transcript, from before a reset', wholeNumber)
    .action(async (key: SessionKey, options: ShowOptions) => {
      await using api = await reach('read', options, terminal)
      const session = await api.call<Session>('GET', sessionPath(key))
      const limit = options.all === true ? Number.POSITIVE_INFINITY : options.limit
      const page = await readNewest(api, key, limit, transcriptOf(session, options.transcript))
      if (options.json === true) return await terminal.printJson({ session, ...page })
      await printSession(terminal, session)
      if (page.entries.length === 0) return await terminal.print('', 'This transcript has no entries yet.')
      await printEntries(terminal, page.entries)
      if (page.next !== null) terminal.note(`\nOlder entries are not shown; --all shows every one.`)
    })
}

async function printSession(terminal: Terminal, session: Session): Promise<void> {
  const title = session.title === null ? '' : `  ${visibleLine(session.title)}`
  const turns = [count(session.turnsTotal, 'turn'), session.running ? 'one is running' : null]
  const waiting = session.queuedTurns > 0 ? `${session.queuedTurns} waiting` : null
  const states = [session.kind, session.state, session.pinned ? 'pinned' : null]
  const join = (parts: (string | null)[]) => parts.filter((part) => part !== null).join(', ')
  await terminal.print(
    terminal.paint('bold', session.key) + title,
    `${join(states)}; ${join([...turns, waiting])}`,
    `transcript ${session.transcript} with ${count(session.head, 'entry', 'entries')}, ` +
      `${count(session.contextTokens, 'token')} in context`,
    `opened ${moment(session.createdAtMs)}, active ${moment(session.activeAtMs)}`,
  )
}
