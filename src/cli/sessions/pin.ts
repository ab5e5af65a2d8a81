import type { SessionKey } from '../../model/keys.ts'
import type { Session } from '../../model/sessions.ts'
import { type CommandOptions, command, sessionKeyArgument } from '../options.ts'
import { sessionPath } from '../reach/api.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function sessionsPin(terminal: Terminal) {
  return command('pin', 'Keep a session whatever the retention policy says', [
    'holdfast sessions pin alice',
    'holdfast sessions pin alice --off',
  ])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .option('--off', 'the policy counts again')
    .action(async (key: SessionKey, options: CommandOptions & { off?: true }) => {
      await using api = await reach('write', options, terminal)
      const pinned = options.off !== true
      const session = await api.call<Session>('PATCH', sessionPath(key), { pinned })
      if (options.json === true) return await terminal.printJson(session)
      await terminal.print(`${key} ${pinned ? 'is pinned: retention never touches it' : 'is not pinned any more'}.`)
    })
}
