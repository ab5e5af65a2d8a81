import type { DeletedForever } from '../../engine/upkeep/retain/forever.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { confirm } from '../confirm.ts'
import { type CommandOptions, command, sessionKeyArgument } from '../options.ts'
import { count } from '../print/words.ts'
import { sessionPath } from '../reach/api.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

interface DeleteOptions extends CommandOptions {
  forever?: true
  yes?: true
}

export function sessionsDelete(terminal: Terminal) {
  return command('delete', 'Delete a session for good, archived transcripts too', [
    'holdfast sessions delete --forever alice',
    'holdfast sessions delete --forever --yes alice',
  ])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .option('--forever', 'there is no way back; without this nothing is done')
    .option('--yes', 'do not ask')
    .action(async (key: SessionKey, options: DeleteOptions) => {
      if (options.forever !== true) {
        const because =
          'there is no way back from this, so it must be asked for with --forever; ' +
          '`holdfast sessions archive` takes a session off the lists and keeps it'
        throw new HoldfastError('USAGE', { because })
      }
      if (options.yes !== true)
        await confirm(`Delete ${key} for good, with its archives? There is no way back.`, terminal)
      await using api = await reach('write', options, terminal)
      const gone = await api.call<DeletedForever>('POST', sessionPath(key, '/delete'), { forever: true })
      if (options.json === true) return await terminal.printJson(gone)
      const archived = gone.archived === 0 ? '' : `, with ${count(gone.archived, 'archived transcript')}`
      await terminal.print(`${key} is deleted for good${archived}. Backups that you have made still hold it.`)
    })
}
