import { type CommandOptions, command } from '../options.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { type StatusAnswer, statusLines } from './status-lines.ts'
import { findWedged, wedgedLines } from './wedged.ts'

export function status(terminal: Terminal) {
  return command('status', 'The gateway and the store at a glance', [
    'holdfast status',
    'holdfast status --json',
  ]).action(async (options: CommandOptions) => {
    await using api = await reach('read', options, terminal)
    const answer = await api.call<StatusAnswer>('GET', '/v1/status')
    const gateway = api.via === 'gateway' ? 'answers' : api.via === 'store' ? 'none runs' : 'does not answer'
    const wedged = await findWedged(api, options, terminal)
    if (options.json === true) return await terminal.printJson({ gateway, ...answer, wedged })
    const nowMs = terminal.outside.clock.nowMs()
    await terminal.print(...wedgedLines(wedged, nowMs), ...statusLines(answer, gateway, nowMs))
  })
}
