import { isSettled, type Turn } from '../../model/turns.ts'
import { type CommandOptions, command } from '../options.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function turnsCancel(terminal: Terminal) {
  return command('cancel', 'Stop a turn that runs or waits', [
    'holdfast turns cancel 01924f00-0000-7000-8000-000000000001',
    'holdfast turns cancel 01924f00-0000-7000-8000-000000000001 --reason "asked twice"',
  ])
    .argument('<id>', 'the turn, as `holdfast turns list` shows it')
    .option('--reason <text>', 'kept with the turn')
    .action(async (id: string, options: CommandOptions & { reason?: string }) => {
      await using api = await reach('write', options, terminal)
      const path = `/v1/turns/${encodeURIComponent(id)}/cancel`
      const turn = await api.call<Turn>('POST', path, { reason: options.reason ?? 'asked for on the command line' })
      if (options.json === true) return await terminal.printJson(turn)
      await terminal.print(
        isSettled(turn.status)
          ? `Turn ${turn.id} is ${turn.status}.`
          : `Turn ${turn.id} was asked to stop. It ends within the grace period, or is cut off.`,
      )
    })
}
