import { DatabaseThread } from '../../../openclaw/database/thread.ts'
import type { Home } from '../../../openclaw/home/home.ts'
import { importHome } from '../../../openclaw/move/bring/home.ts'
import type { ImportReport } from '../../../openclaw/move/bring/report.ts'
import { requireMatch } from '../../../openclaw/move/bring/session.ts'
import { type CommandOptions, command, wholeNumber } from '../../options.ts'
import { exitCodes } from '../../outside.ts'
import { progressOf } from '../../print/progress.ts'
import type { Terminal } from '../../terminal.ts'
import { type Failed, failedNote, findEach, forEach } from '../each.ts'
import { addHomeOptions, type HomeOptions } from '../options.ts'
import { importColumns, importNotes, isWhole } from './import-lines.ts'

interface ImportOptions extends HomeOptions, Pick<CommandOptions, 'data' | 'config'> {
  limit?: number
  deleted?: true
}

export function importCommand(terminal: Terminal) {
  const each = command('import', 'Bring the conversations of homes into the store; the homes are only read', [
    'holdfast import --home ~/.openclaw --dry-run',
    'holdfast import --home ~/.openclaw --data ./.holdfast',
    'holdfast import --home ~/.openclaw --agent main --limit 20 --json',
  ])
    .option('--limit <n>', 'only so many sessions of a home, the last used first', wholeNumber)
    .option('--deleted', 'also transcripts that were deleted and are still there')
    .option('--data <dir>', 'the data directory (default: ./.holdfast)')
    .option('--config <file>', 'the configuration (default: ./holdfast.json5, when there is one)')
  return addHomeOptions(each).action(async (options: ImportOptions) => {
    const { homes, failed } = await findEach(options, terminal)
    const reports = homes.length === 0 ? [] : await importEach(homes, failed, options, terminal)
    if (options.json === true) await terminal.printJson({ homes: [...reports, ...failed.map(failedJson)] })
    else for (const report of reports) await printReport(report, terminal)
    if (reports.some(({ stopped }) => stopped)) terminal.note('Stopped. Run it again: it goes on from there.')
    if (options.json !== true) for (const one of failed) terminal.note(failedNote(one))
    if (failed.length > 0 || !reports.every(isWhole)) terminal.exitCode = exitCodes.failed
    for (const { sessions } of reports) requireMatch(sessions)
  })
}

async function importEach(
  homes: readonly Home[],
  failed: Failed[],
  options: ImportOptions,
  terminal: Terminal,
): Promise<ImportReport[]> {
  const { meter, openOwnStore, openStoreIfAny } = await import('./store.ts') // brings the tokenizer
  const stop = new AbortController()
  const forget = terminal.outside.onSignal(['SIGINT', 'SIGTERM'], () => stop.abort())
  const dryRun = options.dryRun === true
  try {
    await using store = await (dryRun ? openStoreIfAny : openOwnStore)(options, terminal)
    await using thread = new DatabaseThread()
    return await forEach(homes, failed, async (home) => {
      const nowMs = terminal.outside.clock.nowMs()
      const ground = { store, meter, nowMs, dryRun }
      const asked = { nowMs, deleted: options.deleted === true, limit: options.limit ?? null, signal: stop.signal }
      return await importHome(home, thread, ground, asked, progressOf(terminal))
    })
  } finally {
    forget()
  }
}

function failedJson({ dir, error }: Failed) {
  const nothing = {
    generation: null,
    version: null,
    dryRun: null,
    stopped: null,
    sessions: [],
    leftOut: [],
    totals: null,
  }
  return { dir, ...nothing, error }
}

async function printReport(report: ImportReport, terminal: Terminal): Promise<void> {
  const { dir, generation, version, sessions } = report
  await terminal.print(
    terminal.paint('bold', `${dir} (${[version, generation].filter((part) => part !== null).join(', ')})`),
  )
  if (sessions.length > 0) await terminal.printTable(sessions, importColumns(report.dryRun))
  await terminal.print(...importNotes(report))
}
