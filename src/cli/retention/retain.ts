import { resolve } from 'node:path'
import { Option } from 'commander'
import type { PutBackReport } from '../../engine/upkeep/retain/put-back.ts'
import type { SweepEvent, SweepReport } from '../../engine/upkeep/retain/report.ts'
import type { ArchivedTranscript } from '../../model/archives.ts'
import { HoldfastError } from '../../model/errors.ts'
import { type CommandOptions, command, wholeNumber } from '../options.ts'
import { count } from '../print/words.ts'
import type { Api } from '../reach/api.ts'
import { readList } from '../reach/pages.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { printArchived } from './archived.ts'
import { reportLines, stepLine } from './report-lines.ts'

interface RetainOptions extends CommandOptions {
  dryRun?: true
  apply?: true
  undo?: string
  list?: true
  limit: number
  trustClock?: true
}

export function retain(terminal: Terminal) {
  return command('retain', 'What the retention policy takes out of the store: show it, do it, undo it', [
    'holdfast retain',
    'holdfast retain --apply',
    'holdfast retain --undo archives/20261121T040000Z-1a2b3c4d-1/manifest.jsonl',
    'holdfast retain --list --limit 100',
  ])
    .addOption(new Option('--dry-run', 'show each step and its reason; this is what it does unless told'))
    .addOption(new Option('--apply', 'carry the steps out').conflicts(['dryRun', 'undo', 'list']))
    .addOption(
      new Option('--undo <manifest>', 'put back what a sweep took out: its manifest, its folder or its name').conflicts(
        ['dryRun', 'list'],
      ),
    )
    .addOption(new Option('--list', 'list the archives').conflicts('dryRun'))
    .option('--limit <n>', 'how many of the list', wholeNumber, 50)
    .option('--trust-clock', 'the clock is right, although it has jumped')
    .action(async (options: RetainOptions) => {
      const isRead = options.list === true
      await using api = await reach(isRead ? 'read' : 'write', options, terminal)
      if (options.list === true) return await list(api, options, terminal)
      if (options.undo !== undefined) return await undo(api, options.undo, options, terminal)
      await sweep(api, options, terminal)
    })
}

async function sweep(api: Api, options: RetainOptions, terminal: Terminal): Promise<void> {
  const stop = new AbortController()
  const forget = terminal.outside.onSignal(['SIGINT', 'SIGTERM'], () => stop.abort())
  const asked = { apply: options.apply === true, trustClock: options.trustClock === true }
  const steps: SweepEvent[] = []
  let report: SweepReport | null = null
  try {
    const { events } = await api.stream('POST', '/v1/retention/sweep', asked, stop.signal)
    for await (const { data } of events) {
      const event = data as SweepEvent
      if (event.type === 'done') report = event.report
      else if (options.json === true) steps.push(event)
      else await terminal.print(stepLine(event))
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
    terminal.note('Stopped. What is done is done; the next sweep goes on from there.')
    terminal.exitCode = 1
    return
  } finally {
    forget()
  }
  if (report === null) throw new HoldfastError('GATEWAY_CLOSING')
  if (options.json === true) return await terminal.printJson({ steps, report })
  await terminal.print(...reportLines(report))
}

async function undo(api: Api, name: string, options: RetainOptions, terminal: Terminal): Promise<void> {
  const meant = /[/\\]/.test(name) ? resolve(terminal.outside.cwd, name) : name
  const report = await api.call<PutBackReport>('POST', '/v1/retention/undo', { name: meant })
  if (options.json === true) return await terminal.printJson(report)
  await terminal.print(`${count(report.restored.length, 'transcript')} put back.`)
  if (report.restored.length > 0) terminal.note(nextSweepTakesIt)
  if (report.conflicts.length === 0) return
  terminal.exitCode = 1
  terminal.note(
    `${count(report.conflicts.length, 'transcript')} stayed archived: what is there already was not touched.`,
  )
  for (const { key, transcript } of report.conflicts) terminal.note(`  ${key} transcript ${transcript}`)
}

/** They are as old as they were. */
export const nextSweepTakesIt =
  'By the same policy the next sweep takes it out again: pin what is to stay, or change the limit first.'

async function list(api: Api, options: RetainOptions, terminal: Terminal): Promise<void> {
  const listing = await readList<ArchivedTranscript>(api, '/v1/archives', { place: 'archives' }, options.limit)
  await printArchived(listing, options, terminal, 'Nothing is archived.')
}
