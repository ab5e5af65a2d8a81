import { resolve } from 'node:path'
import { copyStore } from '../../copy/copy.ts'
import type { CopiedSession, CopyReport } from '../../copy/report.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { isDatabaseUrl } from '../../postgres/url.ts'
import { command, namesItsStores, sessionKeyArgument } from '../options.ts'
import { exitCodes } from '../outside.ts'
import { progressOf } from '../print/progress.ts'
import type { Column } from '../print/table.ts'
import { count } from '../print/words.ts'
import type { Terminal } from '../terminal.ts'
import { openForReadingIfAny, openForReadingOf, openOwn, type StorePlace } from './place.ts'

interface CopyOptions {
  session?: SessionKey[]
  dryRun?: true
  json?: true
}

export function copy(terminal: Terminal) {
  const each = command('copy', 'Copy sessions and jobs into another store; the source is only read', [
    'holdfast copy ./.holdfast postgres://gateway@db.example.org/agents --dry-run',
    'holdfast copy ./.holdfast postgres://gateway@db.example.org/agents',
    'holdfast copy postgres://gateway@db.example.org/agents ./copy --session agent:main:main',
  ])
    .argument('<from>', 'a data directory, or the address of a store in PostgreSQL')
    .argument('<to>', 'the same; a data directory is made where there is none')
    .option(
      '--session <key>',
      'only this session, again for more, and no jobs',
      (text: string, before: SessionKey[] = []) => [...before, sessionKeyArgument(text)],
    )
    .option('--dry-run', 'show what would be copied, and do nothing')
  return namesItsStores(each).action(async (from: string, to: string, options: CopyOptions) => {
    const report = await copyBetween(placeOf(from, terminal), placeOf(to, terminal), options, terminal)
    if (options.json === true) await terminal.printJson(report)
    else await printReport(report, terminal)
    const isWhole = !report.stopped && report.totals.left + report.totals.mismatch === 0
    if (!isWhole || report.jobs.some(({ state }) => state === 'left')) terminal.exitCode = exitCodes.failed
  })
}

function placeOf(text: string, { outside }: Terminal): StorePlace {
  return isDatabaseUrl(text)
    ? { store: { url: text }, data: '' }
    : { store: { url: null }, data: resolve(outside.cwd, text) }
}

/** A directory is ours until it is closed; a database in PostgreSQL is shared with its gateways. The source, and in a dry run both, are read beside them. */
async function copyBetween(
  from: StorePlace,
  to: StorePlace,
  options: CopyOptions,
  terminal: Terminal,
): Promise<CopyReport> {
  if (from.store.url === to.store.url && from.data === to.data) {
    throw new HoldfastError('USAGE', { because: 'both are the same store' })
  }
  const stop = new AbortController()
  const forget = terminal.outside.onSignal(['SIGINT', 'SIGTERM'], () => stop.abort())
  const dryRun = options.dryRun === true
  const nowMs = terminal.outside.clock.nowMs()
  try {
    await using source = await openForReadingOf(from)
    await using target = await (dryRun ? openForReadingIfAny(to) : openOwn(to, nowMs))
    const ground = { from: source, to: target, nowMs, dryRun }
    return await copyStore(ground, { keys: options.session ?? [], signal: stop.signal }, progressOf(terminal))
  } finally {
    forget()
  }
}

const columns = (dryRun: boolean): Column<CopiedSession>[] => [
  { title: 'SESSION', text: ({ key }) => key, shrinks: true },
  { title: 'STATE', text: ({ state }) => (dryRun && state === 'copied' ? 'to copy' : state) },
  { title: 'TRANSCRIPTS', text: ({ transcripts }) => String(transcripts), align: 'right' },
  { title: 'ENTRIES', text: ({ entries }) => String(entries), align: 'right' },
]

async function printReport(report: CopyReport, terminal: Terminal): Promise<void> {
  const { sessions, jobs, archived, totals, dryRun, stopped } = report
  if (sessions.length > 0) await terminal.printTable(sessions, columns(dryRun))
  for (const { key, state, because } of sessions)
    if (because !== null) await terminal.print(`${state}: ${key}: ${because}`)
  for (const { id, because } of jobs) if (because !== null) await terminal.print(`left: job ${id}: ${because}`)
  const newJobs = jobs.filter(({ state }) => state === 'copied').length
  const what = [count(totals.copied, 'session'), ...(newJobs > 0 ? [count(newJobs, 'job')] : [])].join(', ')
  if (dryRun) await terminal.print(`Would be copied: ${what}. Nothing was changed.`)
  else if (totals.copied > 0)
    await terminal.print(
      `Copied and compared record by record: ${what} (${count(totals.entries, 'entry', 'entries')}).`,
    )
  else if (newJobs > 0) await terminal.print(`Copied: ${count(newJobs, 'job')}.`)
  if (totals.present > 0) await terminal.print(`${count(totals.present, 'session')} stood there already, and the same.`)
  if (sessions.length === 0) await terminal.print('There is no session to copy.')
  if (archived > 0) {
    terminal.note(
      `${count(archived, 'archived transcript')} of the source stay where they are: restore them first to copy them too.`,
    )
  }
  if (stopped) terminal.note('Stopped. Run it again: it goes on from there.')
}
