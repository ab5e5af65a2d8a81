import type { SessionKey } from '../../model/keys.ts'
import type { Summary } from '../../model/sessions.ts'
import { type CommandOptions, command, sessionKeyArgument } from '../options.ts'
import { visibleLine } from '../print/visible.ts'
import { ago } from '../print/words.ts'
import { sessionPath } from '../reach/api.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function summariesList(terminal: Terminal) {
  return command('list', 'The summaries of the current transcript, newest first', [
    'holdfast summaries list alice',
    'holdfast summaries list alice --json',
  ])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .action(async (key: SessionKey, options: CommandOptions) => {
      await using api = await reach('read', options, terminal)
      const { items } = await api.call<{ items: Summary[] }>('GET', sessionPath(key, '/summaries'))
      if (options.json === true) return await terminal.printJson({ items })
      if (items.length === 0)
        return await terminal.print('This transcript has no summary; the model is shown its entries.')
      const nowMs = terminal.outside.clock.nowMs()
      await terminal.printTable(items, [
        { title: 'ID', text: ({ id }) => String(id), align: 'right' },
        { title: 'KIND', text: ({ kind }) => kind },
        { title: 'UP TO', text: ({ uptoSeq }) => `#${uptoSeq}`, align: 'right' },
        { title: 'TOKENS', text: ({ tokens, replacedTokens }) => `${replacedTokens} → ${tokens}`, align: 'right' },
        { title: 'MADE', text: ({ atMs }) => ago(atMs, nowMs) },
        { title: 'UNDONE', text: ({ undoneAtMs }) => (undoneAtMs === null ? '' : ago(undoneAtMs, nowMs)) },
        { title: 'TEXT', text: ({ text }) => visibleLine(text), shrinks: true },
      ])
    })
}
