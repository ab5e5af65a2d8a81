import type { Entry } from '../../model/entries.ts'
import { type Message, textOf } from '../../model/messages.ts'
import type { Inbound, Turn } from '../../model/turns.ts'
import { formatDuration } from '../../model/units.ts'
import { type CommandOptions, command } from '../options.ts'
import { entryText } from '../print/entry.ts'
import { visibleLine } from '../print/visible.ts'
import { count, moment } from '../print/words.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

interface TurnAnswer {
  turn: Turn
  inbound: Inbound[]
  reply: Entry[]
}

export function turnsShow(terminal: Terminal) {
  return command('show', 'One turn: its messages, its reply, and when what happened', [
    'holdfast turns show 01924f00-0000-7000-8000-000000000001',
  ])
    .argument('<id>', 'the turn, as `holdfast turns list` shows it')
    .action(async (id: string, options: CommandOptions) => {
      await using api = await reach('read', options, terminal)
      const answer = await api.call<TurnAnswer>('GET', `/v1/turns/${encodeURIComponent(id)}`)
      if (options.json === true) return await terminal.printJson(answer)
      const { turn, inbound, reply } = answer
      await terminal.print(terminal.paint('bold', `${turn.id}  ${turn.status}`), ...factsOf(turn))
      for (const message of inbound.flatMap(({ messages }) => messages))
        await say(terminal, message.role, textOf(message as Message))
      for (const entry of reply) await say(terminal, entry.kind, entryText(entry))
    })
}

async function say(terminal: Terminal, who: string, text: string): Promise<void> {
  const lines = terminal.words(text).split('\n')
  await terminal.print('', terminal.paint('cyan', who), ...lines.map((line) => `    ${line}`))
}

function factsOf(turn: Turn): string[] {
  const { usage, outcome, startedAtMs, settledAtMs } = turn
  const rows: [string, string | null][] = [
    ['session', turn.sessionKey],
    ['lane', `${turn.lane}, from ${visibleLine(turn.source)}`],
    ['came', moment(turn.admittedAtMs)],
    ['waited', startedAtMs === null ? null : formatDuration(startedAtMs - turn.admittedAtMs)],
    ['ran', startedAtMs === null || settledAtMs === null ? null : formatDuration(settledAtMs - startedAtMs)],
    ['attempts', String(turn.attempts)],
    ['stop asked', turn.cancelRequested === null ? null : visibleLine(turn.cancelRequested)],
    ['outcome', outcome === null ? null : `${outcome.code}: ${visibleLine(outcome.message)}`],
    [
      'usage',
      usage === null ? null : `${count(usage.promptTokens, 'token')} in, ${count(usage.completionTokens, 'token')} out`,
    ],
  ]
  return rows.filter(([, text]) => text !== null).map(([name, text]) => `  ${name.padEnd(10)}  ${text}`)
}
