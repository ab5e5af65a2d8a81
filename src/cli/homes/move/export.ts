import { resolve } from 'node:path'
import { makeDirectory } from '../../../host/files.ts'
import type { SessionKey } from '../../../model/keys.ts'
import { writing } from '../../../openclaw/files/failure.ts'
import { follow } from '../../../openclaw/files/follow.ts'
import { type ExportReport, exportHome, type GivenSession } from '../../../openclaw/move/give/home.ts'
import { type CommandOptions, command, sessionKeyArgument } from '../../options.ts'
import { exitCodes } from '../../outside.ts'
import { progressOf } from '../../print/progress.ts'
import type { Column } from '../../print/table.ts'
import { count } from '../../print/words.ts'
import type { Terminal } from '../../terminal.ts'

interface ExportOptions extends CommandOptions {
  to: string
  agent?: string[]
  dryRun?: true
}

export function exportCommand(terminal: Terminal) {
  return command('export', 'Write sessions of the store as an OpenClaw home that keeps files (2026.7 and before)', [
    'holdfast export --to ~/bot/.openclaw',
    'holdfast export agent:main:main --to /tmp/home --dry-run',
  ])
    .argument('[keys...]', 'only these sessions', (text: string, before: SessionKey[] = []) => [
      ...before,
      sessionKeyArgument(text),
    ])
    .requiredOption('--to <dir>', 'the state directory to write to; nothing in it is written over')
    .option('--agent <id>', 'only this agent, again for more', (id: string, before: string[] = []) => [...before, id])
    .option('--dry-run', 'show what would be written, and do nothing')
    .action(async (keys: SessionKey[], options: ExportOptions) => {
      const dryRun = options.dryRun === true
      const path = resolve(terminal.outside.cwd, options.to)
      const { openStoreForReading } = await import('./store.ts') // brings the tokenizer
      await using store = await openStoreForReading(options, terminal)
      if (!dryRun) await writing(path, () => makeDirectory(path))
      const dir = follow(path)?.path ?? path
      const report = await exportHome(store, { dir, agents: options.agent ?? [], keys, dryRun }, progressOf(terminal))
      if (options.json === true) await terminal.printJson(report)
      else await printReport(report, terminal)
      if (report.totals.left > 0) terminal.exitCode = exitCodes.failed
    })
}

const columns = (dryRun: boolean): Column<GivenSession>[] => [
  { title: 'SESSION', text: ({ key }) => key, shrinks: true },
  { title: 'STATE', text: ({ state }) => (dryRun && state === 'exported' ? 'to write' : state) },
  {
    title: 'FILES',
    text: ({ transcripts }) => String(transcripts.filter(({ file }) => file !== null).length),
    align: 'right',
  },
  { title: 'LINES AS THEY WERE', text: ({ transcripts }) => String(sum(transcripts, 'carriedLines')), align: 'right' },
  { title: 'SAID HERE', text: ({ transcripts }) => String(sum(transcripts, 'ownEntries')), align: 'right' },
]

function sum(transcripts: GivenSession['transcripts'], of: 'carriedLines' | 'ownEntries' | 'linesLeftOut'): number {
  return transcripts.reduce((total, each) => total + each[of], 0)
}

async function printReport({ dir, dryRun, sessions, totals }: ExportReport, terminal: Terminal): Promise<void> {
  if (sessions.length > 0) await terminal.printTable(sessions, columns(dryRun))
  for (const { key, state, because } of sessions)
    if (because !== null) await terminal.print(`${state}: ${key}: ${because}`)
  const lost = sessions.reduce((total, { transcripts }) => total + sum(transcripts, 'linesLeftOut'), 0)
  if (lost > 0) await terminal.print(`${count(lost, 'line')} were too long when they were imported, and are missing.`)
  const what = `${count(totals.exported, 'session')} to ${dir}`
  if (dryRun) await terminal.print(`Would be written: ${what}. Nothing was changed.`)
  else if (totals.exported > 0) await terminal.print(`Written and compared entry by entry: ${what}.`)
  if (totals.present > 0) await terminal.print(`${count(totals.present, 'session')} stood there already.`)
  if (!dryRun && totals.exported > 0) {
    terminal.note('Turns, deliveries and their outcomes have no place in such a home: see `docs/homes.md`.')
  }
}
