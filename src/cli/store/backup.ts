import { resolve } from 'node:path'
import { formatSize } from '../../model/units.ts'
import type { BackupReport } from '../../store/upkeep.ts'
import { type CommandOptions, command } from '../options.ts'
import { count } from '../print/words.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function backup(terminal: Terminal) {
  return command('backup', 'Copy the store while it is used, and verify the copy', [
    'holdfast backup ~/holdfast-2026-11-21',
    'holdfast backup /mnt/usb/holdfast --json',
  ])
    .argument('<dir>', 'a new or empty directory')
    .action(async (directory: string, options: CommandOptions) => {
      await using api = await reach('check', options, terminal)
      const path = resolve(terminal.outside.cwd, directory)
      const report = await api.call<BackupReport>('POST', '/v1/backup', { directory: path })
      if (options.json === true) return await terminal.printJson(report)
      const { sessions, entries } = report.verify
      await terminal.print(
        `Backup made and verified: ${report.path} (${formatSize(report.bytes)}), ` +
          `${count(sessions, 'session')}, ${count(entries, 'entry', 'entries')}.`,
        `SHA-256 ${report.sha256}`,
        `Use it with: holdfast serve --data ${directory}`,
      )
    })
}
