import { group } from '../../options.ts'
import type { Terminal } from '../../terminal.ts'
import { locksClear } from './clear.ts'
import { locksList } from './list.ts'
import { locksWatch } from './watch.ts'

export function locks(terminal: Terminal) {
  return group('locks', 'Which sessions of homes are locked, by whom, with proof; clear what is stale; watch', [])
    .addCommand(locksList(terminal), { isDefault: true })
    .addCommand(locksClear(terminal))
    .addCommand(locksWatch(terminal))
}
