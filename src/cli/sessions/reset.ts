import type { SessionKey } from '../../model/keys.ts'
import type { ResetResult } from '../../store/sessions.ts'
import { type CommandOptions, command, sessionKeyArgument } from '../options.ts'
import { sessionPath } from '../reach/api.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function sessionsReset(terminal: Terminal) {
  return command('reset', 'Start a new transcript; the earlier ones are kept', [
    'holdfast sessions reset alice',
    'holdfast sessions reset alice --reason "changed the subject"',
  ])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .option('--reason <text>', 'kept with the reset')
    .action(async (key: SessionKey, options: CommandOptions & { reason?: string }) => {
      await using api = await reach('write', options, terminal)
      const result = await api.call<ResetResult>('POST', sessionPath(key, '/reset'), {
        reason: options.reason ?? 'asked for on the command line',
      })
      if (options.json === true) return await terminal.printJson(result)
      await terminal.print(
        `${key} starts anew with transcript ${result.session.transcript}. ` +
          `Transcript ${result.previousTranscript} is kept: holdfast sessions show ${key} --transcript ${result.previousTranscript}`,
      )
      if (result.cancelledTurnId !== null)
        await terminal.print(`Turn ${result.cancelledTurnId} was running and is cancelled.`)
    })
}
