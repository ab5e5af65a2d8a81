import type { SessionKey } from '../../model/keys.ts'
import type { Session } from '../../model/sessions.ts'
import { type CommandOptions, command, sessionKeyArgument } from '../options.ts'
import { sessionPath } from '../reach/api.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function sessionsArchive(terminal: Terminal) {
  return command('archive', 'Take a session off the lists until its next message', ['holdfast sessions archive alice'])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .action(async (key: SessionKey, options: CommandOptions) => {
      await using api = await reach('write', options, terminal)
      const session = await api.call<Session>('POST', sessionPath(key, '/archive'), {})
      if (options.json === true) return await terminal.printJson(session)
      await terminal.print(`${key} is archived. Nothing is deleted; its next message opens it again.`)
    })
}
