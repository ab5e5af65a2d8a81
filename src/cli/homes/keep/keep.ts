import { dirname, resolve } from 'node:path'
import { Option } from 'commander'
import { makeDirectory } from '../../../host/files.ts'
import { command } from '../../options.ts'
import { listenForStop } from '../../serve/stop.ts'
import type { Terminal } from '../../terminal.ts'
import { addHomeOptions } from '../options.ts'
import { duration } from '../values.ts'
import type { KeepOptions } from './options.ts'
import { printStatus } from './status.ts'

export function keep(terminal: Terminal) {
  const each = command('keep', 'Look after homes until Ctrl-C: locks, cleaning, archives, alerts', [
    'holdfast keep',
    'holdfast keep --mode enforce --home ~/.openclaw',
    'holdfast keep --once --log /var/log/holdfast.log',
    'holdfast keep --status',
  ])
    .addOption(new Option('--mode <mode>', 'whether cleaning is done or only told').choices(['off', 'warn', 'enforce']))
    .option('--locks-every <time>', 'how often locks are looked at (default: 5m)', duration)
    .option('--clean-every <time>', 'how often homes are cleaned (default: 6h)', duration)
    .option(
      '--port <number>',
      'for status and /metrics on 127.0.0.1; 0 takes a free one, "off" is none (default: 4748)',
    )
    .option('--log <file>', 'write there, rotated, and not to stderr')
    .option('--config <file>', 'a holdfast.json5 with a section `homes` (default: ./holdfast.json5, when there is one)')
    .option('--once', 'do what is due now, and end: for a crontab')
    .option('--status', 'show what the keepers of these homes do')
  return addHomeOptions(each).action(async (options: KeepOptions) => {
    if (options.status === true) return await printStatus(options, terminal)
    using stop = listenForStop(terminal.outside)
    const { startKeeping } = await import('./start.ts') // configuration, HTTP and everything below: only here
    if (options.log !== undefined) makeDirectory(dirname(resolve(terminal.outside.cwd, options.log)))
    await startKeeping(options, terminal, stop.asked)
  })
}
