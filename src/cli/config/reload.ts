import type { Reloaded } from '../../http/deps.ts'
import { type CommandOptions, command } from '../options.ts'
import { reachGateway } from '../reach/reach.ts'
import { reloadedLines } from '../serve/hangup.ts'
import type { Terminal } from '../terminal.ts'

export function configReload(terminal: Terminal) {
  return command('reload', 'Let the running gateway read its configuration again, as SIGHUP does', [
    'holdfast config reload',
    'holdfast config reload --json',
  ]).action(async (options: CommandOptions) => {
    await using api = await reachGateway(options, terminal)
    const reloaded = await api.call<Reloaded>('POST', '/v1/reload', {})
    if (options.json === true) return await terminal.printJson(reloaded)
    await terminal.print(...reloadedLines(reloaded))
  })
}
