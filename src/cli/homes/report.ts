import { resolve } from 'node:path'
import { Option } from 'commander'
import { newFile } from '../../host/new-file.ts'
import { packageVersion } from '../../host/version.ts'
import { masked } from '../../openclaw/doctor/mask.ts'
import { command } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import { doctorExitCodes, jsonOf } from './doctor.ts'
import { failedLine } from './each.ts'
import { type LookOptions, lookAtHomes } from './look.ts'
import { addHomeOptions } from './options.ts'
import { htmlReport } from './report/html.ts'
import type { Made } from './report/made.ts'
import { markdownReport } from './report/markdown.ts'

interface ReportOptions extends LookOptions {
  html?: true
  markdown?: true
  mask?: true
  out?: string
}

export function report(terminal: Terminal) {
  return addHomeOptions(
    command('report', 'What `doctor` finds, to pass on: Markdown, or one HTML file. Never what people wrote', [
      'holdfast report --mask > incident.md',
      'holdfast report --html --out incident.html',
    ])
      .addOption(new Option('--markdown', 'Markdown; this is what it writes unless told').conflicts('html'))
      .option('--html', 'HTML in one file, without scripts')
      .option('--mask', 'take out of session keys what they tell of people')
      .option('--out <file>', 'write a new file instead of stdout')
      .option('--docker', 'look into what containers have mounted')
      .option('--quick', 'do not read transcripts through')
      .option('--check', 'let SQLite check databases: reads every page of them'),
  ).action(async (options: ReportOptions) => {
    const { homes, failed } = await lookAtHomes(options, terminal)
    const all = homes.map(({ diagnosis }) => diagnosis)
    const diagnoses = options.mask === true ? masked(all) : all
    if (failed.length > 0) terminal.exitCode = doctorExitCodes.notLooked
    if (options.json === true)
      return await terminal.printJson({
        homes: jsonOf(
          diagnoses.map((diagnosis) => ({ diagnosis, fixed: null })),
          failed,
        ),
      })
    const write = options.html === true ? htmlReport : markdownReport
    const text = write(diagnoses, failed.map(failedLine), madeNow(terminal))
    if (options.out === undefined) return await terminal.printPart(text)
    await using file = await newFile(resolve(terminal.outside.cwd, options.out))
    await file.write(text)
    await file.keep()
    terminal.note(`Written to ${options.out}.`)
  })
}

function madeNow({ outside }: Terminal): Made {
  const { platform, arch, versions } = process
  return { atMs: outside.clock.nowMs(), holdfast: packageVersion(), by: `${platform} ${arch}, Node ${versions.node}` }
}
