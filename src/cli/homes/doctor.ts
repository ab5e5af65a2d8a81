import type { Diagnosis } from '../../openclaw/doctor/diagnosis.ts'
import { type Finding, shellWord } from '../../openclaw/doctor/finding.ts'
import { type Fixed, fixHome } from '../../openclaw/doctor/fix.ts'
import type { Home } from '../../openclaw/home/home.ts'
import { command } from '../options.ts'
import { exitCodes } from '../outside.ts'
import { visibleLine, visibleText } from '../print/visible.ts'
import { count } from '../print/words.ts'
import type { Terminal } from '../terminal.ts'
import { exampleLine, gatewayLine, isIll, severityNames, tally, totalsRows, whatOf } from './doctor-lines.ts'
import { type Failed, failedNote } from './each.ts'
import { outsideFor } from './ground.ts'
import { type Looked, type LookOptions, lookAtHomes } from './look.ts'
import { addHomeOptions } from './options.ts'
import { printSteps } from './steps.ts'

/** Ends of `doctor` and `report`: other programs rely on them. */
export const doctorExitCodes = { well: exitCodes.ok, ill: exitCodes.failed, notLooked: 2 } as const

interface DoctorOptions extends LookOptions {
  fix?: true
}

export function doctor(terminal: Terminal) {
  return addHomeOptions(
    command(
      'doctor',
      'Find what is wrong with homes of OpenClaw gateways, and what ends it; changes nothing unless told',
      [
        'holdfast doctor',
        'holdfast doctor --home /srv/bot/.openclaw --json',
        'holdfast doctor --docker --quick',
        'holdfast doctor --fix --dry-run',
      ],
    )
      .option('--fix', 'first do what is safe: clear stale locks, archive leftovers, close the home to others, mend')
      .option('--docker', 'look into what containers have mounted')
      .option('--quick', 'do not read transcripts through')
      .option('--check', 'let SQLite check databases: reads every page of them'),
  ).action(async (options: DoctorOptions) => {
    const fix = options.fix === true ? (home: Home) => fixOne(home, options, terminal) : null
    const { homes, failed } = await lookAtHomes(options, terminal, fix)
    terminal.exitCode = exitCodeFor(homes, failed)
    if (options.json === true) return await terminal.printJson({ homes: jsonOf(homes, failed) })
    for (const [at, { diagnosis, fixed }] of homes.entries()) {
      if (at > 0) await terminal.print('')
      await printHome(diagnosis, fixed, options.dryRun === true, terminal)
    }
    for (const each of failed) terminal.note(failedNote(each))
  })
}

function fixOne(home: Home, { dryRun }: DoctorOptions, terminal: Terminal): Promise<Fixed> {
  return fixHome(home, dryRun === true, outsideFor(home, terminal))
}

function exitCodeFor(homes: Looked['homes'], failed: readonly Failed[]): number {
  if (failed.length > 0) return doctorExitCodes.notLooked
  return homes.some(({ diagnosis }) => isIll(diagnosis)) ? doctorExitCodes.ill : doctorExitCodes.well
}

/** A home that could not be looked at has no generation, no totals, and an `error`. */
export function jsonOf(homes: Looked['homes'], failed: readonly Failed[]): object[] {
  return [
    ...homes.map(({ diagnosis, fixed }) => (fixed === null ? diagnosis : { ...diagnosis, fixed })),
    ...failed.map(({ dir, error }) => ({ dir, generation: null, version: null, findings: [], totals: null, error })),
  ]
}

async function printHome(diagnosis: Diagnosis, fixed: Fixed | null, isDry: boolean, terminal: Terminal): Promise<void> {
  const rows: [string, string][] = [['gateway', gatewayLine(diagnosis)], ...totalsRows(diagnosis)]
  await terminal.print(
    terminal.paint('bold', visibleLine(diagnosis.dir)),
    `  ${visibleLine(whatOf(diagnosis))}`,
    ...rows.map(([name, value]) => `  ${terminal.paint('dim', name.padEnd(9))} ${visibleLine(value)}`),
  )
  if (fixed !== null) await printFixed(fixed, diagnosis.dir, isDry, terminal)
  for (const finding of diagnosis.findings) await terminal.print('', ...findingLines(finding, diagnosis.dir, terminal))
  const found = tally(diagnosis.findings)
  await terminal.print('', found === null ? 'Nothing is wrong here.' : `Found: ${found}.`)
}

/** What was put right, before what is left. */
async function printFixed(
  { steps, notes, manifests }: Fixed,
  dir: string,
  isDry: boolean,
  terminal: Terminal,
): Promise<void> {
  if (notes.length > 0) await terminal.print('', ...notes.map((note) => `  ${visibleLine(note)}`))
  if (steps.length === 0) return await terminal.print('', '  Nothing can be put right without you.')
  await printSteps(dir, steps, !isDry, terminal)
  if (isDry) await terminal.print('', '  Nothing was changed: leave --dry-run out to do it.')
  if (manifests.length > 0) await terminal.print('')
  for (const manifest of manifests.toReversed())
    await terminal.print(`  Undo with: holdfast undo ${shellWord(manifest)}`)
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
