import type { Lease } from '../../model/holders.ts'
import { formatDuration } from '../../model/units.ts'
import { type CommandOptions, command } from '../options.ts'
import { visibleLine } from '../print/visible.ts'
import { ago } from '../print/words.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function leasesList(terminal: Terminal) {
  return command('list', 'Which sessions are held, by whom, since when', [
    'holdfast leases',
    'holdfast leases --json',
  ]).action(async (options: CommandOptions) => {
    await using api = await reach('read', options, terminal)
    const { items } = await api.call<{ items: Lease[] }>('GET', '/v1/leases')
    if (options.json === true) return await terminal.printJson({ items })
    if (items.length === 0) return await terminal.print('No session is held: no turn is running.')
    const nowMs = terminal.outside.clock.nowMs()
    await terminal.printTable(items, [
      { title: 'SESSION', text: ({ sessionKey }) => sessionKey, shrinks: true },
      { title: 'TURN', text: ({ turnId }) => turnId },
      { title: 'HOLDER', text: ({ holder }) => `process ${holder.pid} on ${holder.host}` },
      { title: 'FENCE', text: ({ fence }) => String(fence), align: 'right' },
      { title: 'HELD', text: ({ takenAtMs }) => formatDuration(nowMs - takenAtMs), align: 'right' },
      { title: 'PROGRESS', text: ({ progressAtMs }) => ago(progressAtMs, nowMs) },
      { title: 'DOING', text: ({ progressNote }) => visibleLine(progressNote), shrinks: true },
    ])
  })
}
