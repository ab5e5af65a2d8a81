import type { Diagnosis } from '../../openclaw/doctor/diagnosis.ts'
import type { Finding } from '../../openclaw/doctor/finding.ts'
import { command } from '../options.ts'
import { exitCodes } from '../outside.ts'
import { visibleLine, visibleText } from '../print/visible.ts'
import { count } from '../print/words.ts'
import type { Terminal } from '../terminal.ts'
import { exampleLine, gatewayLine, isIll, severityNames, tally, totalsRows, whatOf } from './doctor-lines.ts'
import { type Failed, failedNote } from './each.ts'
import { type LookOptions, lookAtHomes } from './look.ts'
import { addHomeOptions } from './options.ts'

/** Ends of `doctor` and `report`: other programs rely on them. */
export const doctorExitCodes = { well: exitCodes.ok, ill: exitCodes.failed, notLooked: 2 } as const

export function doctor(terminal: Terminal) {
  return addHomeOptions(
    command('doctor', 'Find what is wrong with homes of OpenClaw gateways; changes nothing', [
      'holdfast doctor',
      'holdfast doctor --home /srv/bot/.openclaw --json',
      'holdfast doctor --docker --quick',
    ])
      .option('--docker', 'look into what containers have mounted')
      .option('--quick', 'do not read transcripts through')
      .option('--check', 'let SQLite check databases: reads every page of them'),
  ).action(async (options: LookOptions) => {
    const { homes, failed } = await lookAtHomes(options, terminal)
    const diagnoses = homes.map(({ diagnosis }) => diagnosis)
    terminal.exitCode = exitCodeFor(diagnoses, failed)
    if (options.json === true) return await terminal.printJson({ homes: jsonOf(diagnoses, failed) })
    for (const [at, diagnosis] of diagnoses.entries()) {
      if (at > 0) await terminal.print('')
      await printHome(diagnosis, terminal)
    }
    for (const each of failed) terminal.note(failedNote(each))
  })
}

export function exitCodeFor(diagnoses: readonly Diagnosis[], failed: readonly Failed[]): number {
  if (failed.length > 0) return doctorExitCodes.notLooked
  return diagnoses.some(isIll) ? doctorExitCodes.ill : doctorExitCodes.well
}

/** A home that could not be looked at has no generation, no totals, and an `error`. */
export function jsonOf(diagnoses: readonly Diagnosis[], failed: readonly Failed[]): object[] {
  return [
    ...diagnoses,
    ...failed.map(({ dir, error }) => ({ dir, generation: null, version: null, findings: [], totals: null, error })),
  ]
}

async function printHome(diagnosis: Diagnosis, terminal: Terminal): Promise<void> {
  const rows: [string, string][] = [['gateway', gatewayLine(diagnosis)], ...totalsRows(diagnosis)]
  await terminal.print(
    terminal.paint('bold', visibleLine(diagnosis.dir)),
    `  ${visibleLine(whatOf(diagnosis))}`,
    ...rows.map(([name, value]) => `  ${terminal.paint('dim', name.padEnd(9))} ${visibleLine(value)}`),
  )
  for (const finding of diagnosis.findings) await terminal.print('', ...findingLines(finding, diagnosis.dir, terminal))
  const found = tally(diagnosis.findings)
  await terminal.print('', found === null ? 'Nothing is wrong here.' : `Found: ${found}.`)
}

const colours = { error: 'red', warning: 'yellow', note: 'cyan' } as const

function findingLines(finding: Finding, dir: string, terminal: Terminal): string[] {
  const { code, severity, title, evidence, examples, fix } = finding
  const more = finding.count - examples.length
  const indent = ' '.repeat(10)
  const lines = examples.map((example) => `${indent}  ${visibleLine(exampleLine(example, dir))}`)
  if (examples.length > 0 && more > 0) lines.push(`${indent}  and ${count(more, 'more', 'more')}`)
  const name = terminal.paint(colours[severity], severityNames[severity].padEnd(7))
  return [
    `  ${name} ${terminal.paint('bold', title)} (${code})`,
    `${indent}${visibleLine(evidence)}`,
    ...lines,
    `${indent}fix: ${visibleText(fix)}`,
  ]
}
