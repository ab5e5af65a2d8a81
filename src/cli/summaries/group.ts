import { group } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import { summariesList } from './list.ts'
import { summariesUndo } from './undo.ts'

export function summaries(terminal: Terminal) {
  return group('summaries', 'What stands for old entries in the context: list, undo', [
    summariesList(terminal),
    summariesUndo(terminal),
  ])
}
