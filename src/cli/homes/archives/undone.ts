import { formatSize } from '../../../model/units.ts'
import type { StepKind } from '../../../openclaw/changes/run.ts'
import type { UndoReport } from '../../../openclaw/changes/undo/undo.ts'
import { undoRun } from '../../../openclaw/changes/undo/undo.ts'
import type { Home } from '../../../openclaw/home/home.ts'
import { exitCodes } from '../../outside.ts'
import { visibleLine } from '../../print/visible.ts'
import { count, moment } from '../../print/words.ts'
import type { Terminal } from '../../terminal.ts'
import { within } from '../doctor-lines.ts'
import { outsideFor } from '../ground.ts'
import type { HomeOptions } from '../options.ts'
import { countOf } from '../steps.ts'

/** As many as a screen has room for; all of them are in the JSON. */
const examplesMax = 10

/** Takes steps of a run back and says so. `only`: numbers of steps; null: all. */
export async function takeBack(
  { home, run }: { home: Home; run: string },
  only: ReadonlySet<number> | null,
  options: HomeOptions,
  terminal: Terminal,
): Promise<void> {
  const dryRun = options.dryRun === true
  const report = await undoRun(home, run, {
    ...outsideFor(home, terminal),
    dryRun,
    only,
  })
  if (report.steps.some(({ left }) => left !== null)) terminal.exitCode = exitCodes.failed
  if (options.json === true) return await terminal.printJson({ homes: [jsonOf(home, report, dryRun)] })
  await printUndone(home, report, dryRun, terminal)
}

function jsonOf(home: Home, report: UndoReport, dryRun: boolean): object {
  const { run, command, manifest, steps, already, gateway } = report
  return {
    dir: home.dir,
    mode: dryRun ? 'dry-run' : 'undo',
    run,
    command,
    steps,
    already,
    manifest,
    gateway: gateway.state,
  }
}

async function printUndone(home: Home, report: UndoReport, dryRun: boolean, terminal: Terminal): Promise<void> {
  const { steps, already, command, atMs } = report
  const what = `holdfast ${command} of ${moment(atMs)}${dryRun ? ', and this is a dry run' : ''}`
  await terminal.print(terminal.paint('bold', visibleLine(home.dir)), `  taken back: ${visibleLine(what)}`)
  const ready = steps.filter(({ left }) => left === null)
  for (const [kind, some] of Map.groupBy(ready, (step) => step.kind)) {
    const bytes = some.reduce((sum, step) => sum + step.bytes, 0)
    const size = bytes === 0 ? '' : ` (${formatSize(bytes)})`
    await terminal.print(
      `  ${subjectOf(kind, some.length)} ${dryRun ? 'would be' : some.length === 1 ? 'is' : 'are'} as before${size}`,
    )
  }
  for (const [because, some] of Map.groupBy(
    steps.filter(({ left }) => left !== null),
    ({ left }) => left ?? '',
  )) {
    const lines = some.slice(0, examplesMax).map(({ path, key }) => `    ${visibleLine(nameOf(home, path, key))}`)
    if (some.length > examplesMax) lines.push(`    and ${count(some.length - examplesMax, 'more', 'more')}`)
    await terminal.print(
      `  ${terminal.paint('yellow', `${count(some.length, 'step')} left`)}: ${visibleLine(because)}`,
      ...lines,
    )
  }
  if (already > 0) await terminal.print(`  ${count(already, 'step')} ${already === 1 ? 'was' : 'were'} undone before`)
  if (steps.length === 0 && already === 0)
    await terminal.print('  Nothing of it was done, so there is nothing to take back.')
}

/** A change of an index is one step, however many entries it is about. */
function subjectOf(kind: StepKind, amount: number): string {
  return kind.endsWith('-entry') ? count(amount, 'change of an index', 'changes of an index') : countOf(kind, amount)
}

function nameOf(home: Home, path: string, key: string | null): string {
  return key === null ? within(home.dir, path) : `${within(home.dir, path)} (${key})`
}
