import type { ArchivedTranscript } from '../../model/archives.ts'
import { formatSize } from '../../model/units.ts'
import { confirm } from '../confirm.ts'
import { type CommandOptions, command, group, wholeNumber } from '../options.ts'
import { count } from '../print/words.ts'
import { readList } from '../reach/pages.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { printArchived } from './archived.ts'
import { nextSweepTakesIt } from './retain.ts'

export function trash(terminal: Terminal) {
  return group('trash', 'What retention will delete for good, until then restorable', [
    trashList(terminal),
    trashRestore(terminal),
    trashEmpty(terminal),
  ])
}

function trashList(terminal: Terminal) {
  return command('list', 'Transcripts in the trash, newest first', [
    'holdfast trash list',
    'holdfast trash list --json',
  ])
    .option('--limit <n>', 'how many', wholeNumber, 50)
    .action(async (options: CommandOptions & { limit: number }) => {
      await using api = await reach('read', options, terminal)
      const listing = await readList<ArchivedTranscript>(api, '/v1/archives', { place: 'trash' }, options.limit)
      await printArchived(listing, options, terminal, 'The trash is empty.')
    })
}

function trashRestore(terminal: Terminal) {
  return command('restore', 'Put one transcript back, from the trash or the archives', ['holdfast trash restore 42'])
    .argument('<id>', 'as `trash list` or `retain --list` shows it', wholeNumber)
    .action(async (id: number, options: CommandOptions) => {
      await using api = await reach('write', options, terminal)
      const restored = await api.call<ArchivedTranscript>('POST', `/v1/archives/${id}/restore`, {})
      if (options.json === true) return await terminal.printJson(restored)
      const { sessionKey, transcript, entries } = restored
      await terminal.print(`${sessionKey} transcript ${transcript} is back: ${count(entries, 'entry', 'entries')}.`)
      terminal.note(nextSweepTakesIt)
    })
}

function trashEmpty(terminal: Terminal) {
  return command('empty', 'Delete for good all that is in the trash', [
    'holdfast trash empty',
    'holdfast trash empty --yes',
  ])
    .option('--yes', 'do not ask')
    .action(async (options: CommandOptions & { yes?: true }) => {
      if (options.yes !== true) await confirm('Delete all that is in the trash? There is no way back.', terminal)
      await using api = await reach('write', options, terminal)
      const gone = await api.call<{ transcripts: number; bytes: number }>('POST', '/v1/trash/empty', {})
      if (options.json === true) return await terminal.printJson(gone)
      await terminal.print(`${count(gone.transcripts, 'transcript')} deleted for good (${formatSize(gone.bytes)}).`)
    })
}
