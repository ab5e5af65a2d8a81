import type { SessionKey } from '../../model/keys.ts'
import type { Summary } from '../../model/sessions.ts'
import { type CommandOptions, command, sessionKeyArgument, wholeNumber } from '../options.ts'
import { sessionPath } from '../reach/api.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function summariesUndo(terminal: Terminal) {
  return command('undo', 'Take the newest summary back; the one before it counts again', [
    'holdfast summaries undo alice 3',
  ])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .argument('<id>', 'the newest summary, as `holdfast summaries list` shows it', wholeNumber)
    .action(async (key: SessionKey, id: number, options: CommandOptions) => {
      await using api = await reach('write', options, terminal)
      const path = sessionPath(key, `/summaries/${id}/undo`)
      const { summary } = await api.call<{ summary: Summary }>('POST', path, {})
      if (options.json === true) return await terminal.printJson(summary)
      await terminal.print(`Summary ${id} of ${key} is undone.`)
    })
}
