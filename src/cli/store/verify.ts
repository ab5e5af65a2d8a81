import { formatDuration } from '../../model/units.ts'
import type { VerifyReport } from '../../store/upkeep.ts'
import { type CommandOptions, command } from '../options.ts'
import { exitCodes } from '../outside.ts'
import { count } from '../print/words.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function verify(terminal: Terminal) {
  return command('verify', 'Check that the database is whole and its rules hold; exit code 1 when not', [
    'holdfast verify',
    'holdfast verify --quick',
    'holdfast verify --data /mnt/usb/holdfast',
  ])
    .option('--quick', 'without reading every page')
    .action(async (options: CommandOptions & { quick?: true }) => {
      await using api = await reach('check', options, terminal)
      const report = await api.call<VerifyReport>('POST', '/v1/verify', { quick: options.quick === true })
      if (!report.ok) terminal.exitCode = exitCodes.failed
      if (options.json === true) return await terminal.printJson(report)
      for (const { name, ok, problems } of report.checks) {
        const sign = ok ? terminal.paint('green', 'ok  ') : terminal.paint('red', 'BAD ')
        await terminal.print(`${sign} ${name}`, ...problems.map((problem) => `       ${problem}`))
      }
      const checked = `${count(report.sessions, 'session')}, ${count(report.entries, 'entry', 'entries')}`
      await terminal.print(
        '',
        report.ok
          ? `The store is whole: ${checked}, checked in ${formatDuration(report.durationMs)}.`
          : `The store is damaged (${checked}). Keep a copy of the directory, then restore a backup that \`holdfast verify\` accepts.`,
      )
    })
}
