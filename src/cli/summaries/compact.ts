import type { SessionKey } from '../../model/keys.ts'
import type { Summary } from '../../model/sessions.ts'
import { type CommandOptions, command, sessionKeyArgument } from '../options.ts'
import { count } from '../print/words.ts'
import { sessionPath } from '../reach/api.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function compact(terminal: Terminal) {
  return command('compact', 'Summarise old entries of a session now; the transcript stays as it is', [
    'holdfast compact alice',
  ])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .action(async (key: SessionKey, options: CommandOptions) => {
      await using api = await reach('write', options, terminal)
      const { summary } = await api.call<{ summary: Summary }>('POST', sessionPath(key, '/compact'), {})
      if (options.json === true) return await terminal.printJson(summary)
      await terminal.print(
        `Summary ${summary.id} (${summary.kind}) stands for the entries up to #${summary.uptoSeq}: ` +
          `${count(summary.replacedTokens, 'token')} became ${count(summary.tokens, 'token')}.`,
        `Take it back with: holdfast summaries undo ${key} ${summary.id}`,
      )
    })
}
