import { group } from '../../options.ts'
import type { Terminal } from '../../terminal.ts'
import { archiveExpire } from './expire.ts'
import { archiveList } from './list.ts'
import { archiveRestore } from './restore.ts'
import { archiveShow } from './show.ts'

export function archive(terminal: Terminal) {
  return group('archive', 'What was put away of homes: list it, look at it, restore it', [
    archiveList(terminal),
    archiveShow(terminal),
    archiveRestore(terminal),
    archiveExpire(terminal),
  ])
}
