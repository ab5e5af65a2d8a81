import { group } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import { sessionsArchive } from './archive.ts'
import { sessionsDelete } from './delete.ts'
import { sessionsExport } from './export.ts'
import { sessionsList } from './list.ts'
import { sessionsPin } from './pin.ts'
import { sessionsReset } from './reset.ts'
import { sessionsSearch } from './search.ts'
import { sessionsShow } from './show.ts'
import { sessionsTail } from './tail.ts'

export function sessions(terminal: Terminal) {
  return group('sessions', 'Conversations: list, read, follow, export, reset, archive, search, pin, delete', [
    sessionsList(terminal),
    sessionsShow(terminal),
    sessionsTail(terminal),
    sessionsExport(terminal),
    sessionsReset(terminal),
    sessionsArchive(terminal),
    sessionsSearch(terminal),
    sessionsPin(terminal),
    sessionsDelete(terminal),
  ])
}
