import { isHoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Turn } from '../../model/turns.ts'
import { type CommandOptions, command, sessionKeyArgument } from '../options.ts'
import type { Api } from '../reach/api.ts'
import { sessionPath } from '../reach/api.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function leasesRelease(terminal: Terminal) {
  return command('release', 'Take one session from the turn that runs in it; its queue is kept and goes on', [
    'holdfast leases release alice',
    'holdfast leases release agent:main:telegram:direct:42 --reason "it hangs"',
  ])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .option('--reason <text>', 'kept with the turn')
    .action(async (key: SessionKey, options: CommandOptions & { reason?: string }) => {
      await using api = await reachOrAdvise(options, terminal)
      const reason = options.reason ?? 'released on the command line'
      const { turn } = await api.call<{ turn: Turn | null }>('POST', sessionPath(key, '/release'), { reason })
      if (options.json === true) return await terminal.printJson({ turn })
      await terminal.print(
        turn === null
          ? `No turn runs in ${key}: nothing is held, so there is nothing to release.`
          : `Turn ${turn.id} has ended as failed, and its sender is told. What waits in ${key} goes on.`,
      )
    })
}

/** One session cannot be taken from a process that does not answer, only all of them: by ending it. */
async function reachOrAdvise(options: CommandOptions, terminal: Terminal): Promise<Api> {
  try {
    return await reach('write', options, terminal)
  } catch (error) {
    if (isHoldfastError(error, 'GATEWAY_SILENT') && options.json !== true) {
      const { pid } = error.facts
      terminal.note(
        [
          'Its sessions can only be taken from it by ending it:',
          `  kill ${pid}       then wait for \`turns.grace\`, a few seconds`,
          `  kill -9 ${pid}    when it is still there`,
          '  holdfast serve',
          'Nothing acknowledged is lost: what waits is kept, and what ran is run again.',
        ].join('\n'),
      )
    }
    throw error
  }
}
