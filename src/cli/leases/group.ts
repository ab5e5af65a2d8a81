import { group } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import { leasesList } from './list.ts'
import { leasesRelease } from './release.ts'

export function leases(terminal: Terminal) {
  return group('leases', 'Which sessions are held, by whom, since when; release one', [])
    .addCommand(leasesList(terminal), { isDefault: true })
    .addCommand(leasesRelease(terminal))
}
